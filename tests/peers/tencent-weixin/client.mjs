// Tencent's published client for iLink, asked by lines of JSON: `node client.mjs <where it is installed> <address>`.
// A line in names a call and its arguments; a line out has what came of it, or `wrong`.
import { register } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

register("./host.mjs", import.meta.url);
const [home, baseUrl] = process.argv.slice(2);
const source = `${home}/node_modules/@tencent-weixin/openclaw-weixin/dist/src`;
const api = await import(pathToFileURL(`${source}/api/api.js`));
const timeoutMs = 5000;
const ways = {
  start: (token) => api.notifyStart({ baseUrl, token, timeoutMs }),
  stop: (token) => api.notifyStop({ baseUrl, token, timeoutMs }),
  updates: (token, cursor) => api.getUpdates({ baseUrl, token, get_updates_buf: cursor, timeoutMs }),
  send: (token, msg) => api.sendMessage({ baseUrl, token, timeoutMs, body: { msg } }),
  config: (token, user, context) =>
    api.getConfig({ baseUrl, token, timeoutMs, ilinkUserId: user, contextToken: context }),
  typing: (token, user, ticket) =>
    api.sendTyping({ baseUrl, token, timeoutMs, body: { ilink_user_id: user, typing_ticket: ticket, status: 1 } }),
  qrcode: async () =>
    JSON.parse(await api.apiPostFetch({
      baseUrl, endpoint: "ilink/bot/get_bot_qrcode?bot_type=3", body: '{"local_token_list":[]}', timeoutMs, label: "qr",
    })),
  status: async (code) =>
    JSON.parse(await api.apiGetFetch({
      baseUrl, endpoint: `ilink/bot/get_qrcode_status?qrcode=${code}`, timeoutMs, label: "status",
    })),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { do: way, args } = JSON.parse(line);
  try {
    console.log(JSON.stringify({ done: (await ways[way](...args)) ?? null }));
  } catch (error) {
    console.log(JSON.stringify({ wrong: error.message }));
  }
}
