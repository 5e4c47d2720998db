import type {
  AckRequest,
  AlertList,
  AlertView,
  ChannelTest,
  SilenceAsked,
  SilenceView,
} from "../core/wire-alerts.ts";

/** What the API can ask about alerts, and do about them. */
export interface AlertControl {
  /** Firing and pending ones, then those that ended last. */
  list(limit: number): AlertList;
  /** Nobody is told of it again until it has resolved. @throws FlyballError NOT_FOUND */
  acknowledge(id: string, request: AckRequest): AlertView;
  silences(): readonly SilenceView[];
  /** @throws FlyballError REQUEST_INVALID, OUT_OF_BOUNDS */
  silence(request: SilenceAsked): SilenceView;
  /** @throws FlyballError NOT_FOUND */
  endSilence(id: string): SilenceView;
  /** @throws FlyballError NOT_FOUND */
  test(channel: string): Promise<ChannelTest>;
}
