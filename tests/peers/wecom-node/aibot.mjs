// The peer @wecom/aibot-node-sdk as an AI bot: `node aibot.mjs <where it is installed> <address> <bot id> <secret>`.
// Does what tests/support/wecom_script.py asks of a bot, and prints a line of JSON for what it hears.
import { createRequire } from "node:module";
import { createHash } from "node:crypto";
import { pathToFileURL } from "node:url";

const [home, wsUrl, botId, secret] = process.argv.slice(2);
const found = createRequire(`${home}/package.json`).resolve("@wecom/aibot-node-sdk");
const { default: sdk } = await import(pathToFileURL(found));

const say = (what) => console.log(JSON.stringify(what));
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const bot = new sdk.WSClient({ botId, secret, wsUrl, logger: silent, reconnectInterval: 5, maxAuthFailureAttempts: 2 });

const button = (task_id) => ({
  card_type: "button_interaction",
  main_title: { title: "打卡", desc: "十点前" },
  button_list: [{ text: "已到岗", style: 1, key: "here" }, { text: "请假", style: 2, key: "away" }],
  task_id,
});
const notice = (task_id) => ({
  card_type: "text_notice",
  main_title: { title: "已打卡" },
  card_action: { type: 1, url: "https://example.com" },
  task_id,
});

async function work(frame) {
  const chat = frame.body.chatid;
  await bot.replyStream(frame, "stream_1", "处理中", false);
  await bot.replyStream(frame, "stream_1", "好了", true);
  await bot.replyTemplateCard(frame, button("task_1"));
  await bot.sendMessage(chat, { msgtype: "markdown", markdown: { content: "**推送**" } });
  await bot.sendMessage(chat, { msgtype: "template_card", template_card: button("task_2") });
  const kept = await bot.uploadMedia(Buffer.alloc(600 * 1024, "x"), { type: "file", filename: "名单.bin" });
  await bot.sendMediaMessage(chat, "file", kept.media_id);
  await bot.replyMedia(frame, "file", kept.media_id);
  say({ worked: Object.keys(kept).sort() });
}

async function fetched(frame) {
  const { url, aeskey } = frame.body[frame.body.msgtype];
  const { buffer, filename } = await bot.downloadFile(url, aeskey);
  say({ fetched: { filename, sha256: createHash("sha256").update(buffer).digest("hex") } });
}

const trouble = (error) => say({ refused: error.errcode ?? error.message });
bot.on("message.text", (frame) => {
  say({ heard: { text: frame.body.text.content, by: frame.body.from.userid, type: frame.body.chattype } });
  if (frame.body.text.content.endsWith("go")) work(frame).catch(trouble);
  if (frame.body.text.content.endsWith("late")) bot.replyStream({ headers: { req_id: "none" } }, "s", "x", true).catch(trouble);
});
for (const kind of ["image", "file", "video"]) bot.on(`message.${kind}`, (frame) => fetched(frame).catch(trouble));
bot.on("message.voice", (frame) => say({ heard: { voice: frame.body.voice.content } }));
bot.on("message.mixed", (frame) => say({ heard: { mixed: frame.body.mixed.msg_item.map((one) => one.msgtype) } }));
bot.on("event.enter_chat", (frame) => bot.replyWelcome(frame, { msgtype: "text", text: { content: "您好" } }).catch(trouble));
bot.on("event.template_card_event", (frame) => {
  const pressed = frame.body.event.template_card_event;
  say({ pressed: { key: pressed.event_key, task: pressed.task_id } });
  bot.updateTemplateCard(frame, notice(pressed.task_id), [frame.body.from.userid]).catch(trouble);
});
bot.on("event.feedback_event", (frame) => say({ rated: frame.body.event.feedback_event.type }));
bot.on("event.disconnected_event", () => say({ replaced: true }));
bot.on("authenticated", () => say({ subscribed: true }));
bot.on("error", (error) => say({ error: error.message }));
bot.connect();
