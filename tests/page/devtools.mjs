// A line to the browser's developer tools, for what WebDriver cannot reach: the insides of the page's workers.

import WebSocket from "ws";

/**
 * @param {import("selenium-webdriver").WebDriver} driver
 */
export async function developerTools(driver) {
  const capabilities = await driver.getCapabilities();
  const { debuggerAddress } = capabilities.get("goog:chromeOptions");
  const targets = await (await fetch(`http://${debuggerAddress}/json/list`)).json();
  const handle = await driver.getWindowHandle();
  const target = targets.find(({ id }) => id === handle) ?? targets.find(({ type }) => type === "page");
  const socket = new WebSocket(target.webSocketDebuggerUrl, { perMessageDeflate: false });
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));

  let number = 0;
  const answers = new Map();
  /** Session id of each worker that lives. */
  const workers = new Map();
  socket.on("message", (data) => {
    const message = JSON.parse(data);
    if (message.id !== undefined) {
      const { resolve, reject } = answers.get(message.id) ?? {};
      answers.delete(message.id);
      if (message.error) reject?.(new Error(message.error.message));
      else resolve?.(message.result);
    } else if (message.method === "Target.attachedToTarget" && message.params.targetInfo.type === "worker") {
      workers.set(message.params.sessionId, message.params.targetInfo.url);
    } else if (message.method === "Target.detachedFromTarget") {
      workers.delete(message.params.sessionId);
      for (const { reject, sessionId } of answers.values()) {
        if (sessionId === message.params.sessionId) reject(new Error("the worker is gone"));
      }
    }
  });
  const send = (method, params = {}, sessionId = undefined) =>
    new Promise((resolve, reject) => {
      answers.set((number += 1), { resolve, reject, sessionId });
      socket.send(JSON.stringify({ id: number, method, params, sessionId }));
    });
  await send("Target.setAutoAttach", { autoAttach: true, waitForDebuggerOnStart: false, flatten: true });
  return {
    send,
    workers,
    /** The value of an expression in a worker; a promise is awaited. */
    async evaluate(worker, expression) {
      const { result, exceptionDetails } = await send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true }, worker);
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
      return result.value;
    },
    close: () => socket.close(),
  };
}
