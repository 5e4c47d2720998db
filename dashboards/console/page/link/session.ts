/** What the page remembers between visits. A browser that keeps nothing is as good, until it is reloaded. */

const TOKEN = "flyball.token";
const PERSON = "flyball.person";

/** Kept for as long as the tab is open, and in it alone. */
export function rememberedToken(): string | undefined {
  return read(() => sessionStorage.getItem(TOKEN));
}

export function rememberToken(token: string | undefined): void {
  attempt(() => {
    if (token === undefined) sessionStorage.removeItem(TOKEN);
    else sessionStorage.setItem(TOKEN, token);
  });
}

/** Who acknowledges and silences. */
export function rememberedPerson(): string {
  return read(() => localStorage.getItem(PERSON)) ?? "";
}

export function rememberPerson(name: string): void {
  attempt(() => localStorage.setItem(PERSON, name));
}

function read(get: () => string | null): string | undefined {
  try {
    return get() ?? undefined;
  } catch {
    return undefined;
  }
}

function attempt(set: () => void): void {
  try {
    set();
  } catch {
    // Storage is forbidden or full: what was to be remembered is asked for again.
  }
}
