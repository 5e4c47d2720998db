import { useCallback, useEffect, useState } from "preact/hooks";
import { troubleText } from "../link/api.ts";

export interface Asked<Answer> {
  /** The newest there is; what was there before stays until it comes. */
  readonly answer: Answer | undefined;
  readonly trouble: string | undefined;
  readonly again: () => void;
}

/** What the API says, asked for when any of `about` changes and every so often. Answers to older questions are dropped. */
export function useAsked<Answer>(
  ask: () => Promise<Answer>,
  about: readonly unknown[],
  everyMs?: number,
): Asked<Answer> {
  const [state, setState] = useState<{ answer?: Answer; trouble?: string }>({});
  const [turn, setTurn] = useState(0);
  const again = useCallback(() => setTurn((before) => before + 1), []);
  useEffect(() => {
    let isWanted = true;
    ask().then(
      (answer) => isWanted && setState({ answer }),
      (error: unknown) => isWanted && setState((before) => ({ ...before, trouble: troubleText(error) })),
    );
    return () => {
      isWanted = false;
    };
  }, [...about, turn]);
  useEffect(() => {
    if (everyMs === undefined) return undefined;
    const timer = setInterval(() => !document.hidden && again(), everyMs);
    return () => clearInterval(timer);
  }, [everyMs, again]);
  return { answer: state.answer, trouble: state.trouble, again };
}
