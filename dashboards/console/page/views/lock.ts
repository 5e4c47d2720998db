import { useState } from "preact/hooks";
import type { DaemonLink } from "../link/daemon-link.ts";
import { html } from "./html.ts";
import { Icon } from "./icons.ts";

/** Asks for the token; it stays in this tab. */
export function Lock({ detail, link }: { detail: string; link: DaemonLink }) {
  const [token, setToken] = useState("");
  const unlock = (event: Event) => {
    event.preventDefault();
    if (token.trim() !== "") link.unlock(token.trim());
  };
  return html`<main class="lock">
    <form class="fields" onSubmit=${unlock}>
      <h1><${Icon} name="governor" size=${26} />Flyball</h1>
      <p>This daemon wants a token. <code>flyball token create</code> makes one; <em>read</em> is enough to look.</p>
      <label>Token<input type="password" autocomplete="off" autofocus value=${token} aria-describedby="lock-trouble"
        onInput=${(event: InputEvent) => setToken((event.target as HTMLInputElement).value)} /></label>
      <p id="lock-trouble" class="trouble" role="alert">${detail}</p>
      <button class="main">Open the console</button>
      <p class="hint">It is kept until this tab is closed, and sent to this daemon alone.</p>
    </form>
  </main>`;
}
