import { render } from "preact";
import { Api } from "./link/api.ts";
import { DaemonLink } from "./link/daemon-link.ts";
import { rememberedToken } from "./link/session.ts";
import { Shelf } from "./link/shelf.ts";
import { EMPTY_WORLD, type World } from "./state/world.ts";
import { App } from "./views/app.ts";
import { html } from "./views/html.ts";

const root = document.querySelector("#page");
const api = new Api(rememberedToken());
const shelf = new Shelf(EMPTY_WORLD, show);
const link = new DaemonLink(api, shelf);

function show(world: World): void {
  if (root !== null) render(html`<${App} world=${world} api=${api} link=${link} />`, root);
}

root?.replaceChildren();
show(EMPTY_WORLD);
link.open();
