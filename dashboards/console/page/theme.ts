import { applyTheme, rememberedTheme } from "./link/theme-choice.ts";

// Before anything is painted, so that nothing is painted twice.
applyTheme(rememberedTheme());
