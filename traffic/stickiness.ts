/** How long a client stays with a replica: so long without a request, and so long in all. */
export const STICKS_IDLE_MINUTES = 30;
export const STICKS_HOURS = 8;

/** Of the cookie by which a client stays with a replica. */
export function cookieName(backend: string): string {
  return `flyball.${backend.replaceAll(":", ".")}`;
}
