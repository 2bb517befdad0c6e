/** What somebody has chosen. `system` follows the system. */
export type Theme = "system" | "light" | "dark";

const KEY = "theme";
const THEMES: readonly Theme[] = ["system", "light", "dark"];

/** Returns the chosen theme. Without access to the browser's storage it is the system's. */
export function storedTheme(): Theme {
  try {
    return THEMES.find((theme) => theme === localStorage.getItem(KEY)) ?? "system";
  } catch {
    return "system";
  }
}

/** Shows the page in a theme, and keeps the choice if the browser allows it. */
export function applyTheme(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // A browser without storage forgets the choice when the page is closed, which is what its owner asked for.
  }
}

/** The theme after another one, for a button that goes through them. */
export const themeAfter = (theme: Theme): Theme =>
  THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "system";
