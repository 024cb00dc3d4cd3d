// The peer @wecom/crypto, asked by lines of JSON: `node crypto.mjs <where it is installed>`.
// A line in names what is wanted and its arguments; a line out has what came of it, or `wrong`.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const crypto = createRequire(`${process.argv[2]}/package.json`)("@wecom/crypto");
const ways = {
  encrypt: (key, text, id) => crypto.encrypt(key, text, id),
  decrypt: (key, encrypted) => {
    const { message, id } = crypto.decrypt(key, encrypted);
    return { message, id };
  },
  sign: (token, timestamp, nonce, encrypted) => crypto.getSignature(token, timestamp, nonce, encrypted),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { do: way, args } = JSON.parse(line);
  try {
    console.log(JSON.stringify({ done: ways[way](...args) }));
  } catch (error) {
    console.log(JSON.stringify({ wrong: error.message }));
  }
}
