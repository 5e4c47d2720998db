import { constants } from "node:os";

export interface StopSignal extends Disposable {
  readonly signal: AbortSignal;
  /** Resolves when the process was asked to stop. */
  readonly requested: Promise<void>;
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Takes Ctrl-C and its like from now on: the first asks for a graceful stop, the second ends the process. */
export function listenForStop(): StopSignal {
  const controller = new AbortController();
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = (signal: (typeof SIGNALS)[number]) => {
    if (controller.signal.aborted) process.exit(128 + constants.signals[signal]);
    controller.abort();
    resolve();
  };
  for (const signal of SIGNALS) process.on(signal, stop);
  return {
    signal: controller.signal,
    requested: promise,
    [Symbol.dispose]() {
      for (const signal of SIGNALS) process.off(signal, stop);
    },
  };
}
