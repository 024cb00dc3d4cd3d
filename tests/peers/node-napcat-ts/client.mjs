// The peer node-napcat-ts as a client of an end: `node client.mjs <where it is installed> <port> <token> <group> <user>`.
// Prints a line of JSON for every event it hears; on a message that says "go" it calls what a bot calls, and prints
// the answers.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [home, port, accessToken, group, user] = process.argv.slice(2);
const found = createRequire(`${home}/package.json`).resolve("node-napcat-ts");
const { NCWebsocket } = await import(pathToFileURL(found));

const say = (what) => console.log(JSON.stringify(what));
const end = new NCWebsocket(
  { protocol: "ws", host: "127.0.0.1", port: Number(port), accessToken, throwPromise: true, reconnection: { enable: false } },
  false,
);

end.on("notice.group_card", (event) => say({ heard: "group_card", card_new: event.card_new }));
end.on("request.group.add", (event) => say({ heard: "request", flag: event.flag }));
end.on("message.group", async (event) => {
  const words = event.message.map((part) => part.data.text ?? "").join("");
  say({ heard: "message", user_id: event.user_id, words });
  if (words !== "go") return;
  const group_id = Number(group);
  const user_id = Number(user);
  const message = [{ type: "text", data: { text: "早" } }];
  say({ members: await end.get_group_member_list({ group_id, no_cache: true }) });
  say({ sent: await end.send_group_msg({ group_id, message, auto_escape: false }) });
  await end.set_group_ban({ group_id, user_id, duration: 600 });
  await end.set_group_card({ group_id, user_id, card: "张三" });
  await end.delete_msg({ message_id: event.message_id });
  const refused = await end.set_group_add_request({ flag: "none", sub_type: "add", approve: true, reason: "" }).catch((no) => no);
  say({ refused: refused.message });
});
await end.connect();
