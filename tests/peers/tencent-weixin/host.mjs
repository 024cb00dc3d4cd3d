// What Tencent's client takes from the program it is a plugin of: two small functions, given here in its place.
const PARTS = {
  "openclaw/plugin-sdk/account-id": "export const normalizeAccountId = (id) => id.replace(/[@.]/g, '-');",
  "openclaw/plugin-sdk/infra-runtime":
    "import os from 'node:os'; export const resolvePreferredOpenClawTmpDir = () => os.tmpdir();" +
    "export const withFileLock = async (_path, _options, work) => work();",
};

export async function resolve(wanted, context, next) {
  const part = PARTS[wanted];
  if (part === undefined) return next(wanted, context);
  return { url: `data:text/javascript,${encodeURIComponent(part)}`, shortCircuit: true };
}
