import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";
import "swagger-ui-dist/swagger-ui.css";
import "./reference.css";

/** How long the description and a new token may take, in milliseconds. */
const ANSWER_MS = 20_000;

/** The parts of the API description that this page reads. */
interface Description {
  readonly components: { readonly securitySchemes: Readonly<Record<string, object>> };
}

/** Returns an element of the page. Throws if the page lacks it. */
function element<E extends HTMLElement>(id: string, type: new () => E): E {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`The page has no ${id}.`);
  return found;
}

const place = element("reference", HTMLElement);
const state = element("token-state", HTMLElement);
const field = element("token", HTMLInputElement);

followColourScheme();
new MutationObserver(nameParts).observe(place, { childList: true, subtree: true });
void show();

/** Loads the description and shows it. If it cannot be loaded, the page says so and links to the text. */
async function show(): Promise<void> {
  let description: Description;
  try {
    const response = await fetch("/openapi.json", { signal: AbortSignal.timeout(ANSWER_MS) });
    if (!response.ok) throw new Error(`/openapi.json answered ${response.status}`);
    description = await response.json();
  } catch (error) {
    console.warn(error);
    place.innerHTML =
      '<p class="loading">The description could not be loaded. Reload the page, or read <a href="/docs.md">the reference as text</a>.</p>';
    return;
  }

  place.replaceChildren();
  const ui = SwaggerUI({
    // The page may send requests to its own service only, whatever other servers the description names.
    spec: { ...description, servers: [{ url: "/" }] },
    domNode: place,
    deepLinking: true,
    // Swagger UI renders what is in view and estimates the height of the rest, too low where lines break on a narrow screen. An address
    // that names an operation would lead past it. Of closed sections there is nothing to estimate.
    docExpansion: matchMedia("(max-width: 40rem)").matches ? "none" : "list",
    defaultModelsExpandDepth: 0,
    defaultModelExpandDepth: 2,
    displayRequestDuration: true,
    filter: true,
    // Otherwise a badge would be asked of a server of Swagger.
    validatorUrl: null,
    // The token is for this page only: it is gone when the page is closed.
    persistAuthorization: false,
  });

  const schemes = description.components.securitySchemes;
  let isUsed = false;
  /** Sends the token with all requests that need one; an empty one is none. */
  const use = (token: string): void => {
    if (token === "") {
      // Swagger UI fails if there is nothing to forget.
      if (isUsed) ui.authActions.logout(Object.keys(schemes));
      isUsed = false;
      state.textContent = "Requests are sent without a token.";
      return;
    }
    // Whoever the token belongs to, it is sent in the same header.
    const values = Object.entries(schemes).map(([name, schema]) => [name, { name, schema, value: token }]);
    ui.authActions.authorize(Object.fromEntries(values));
    isUsed = true;
    state.textContent = "Requests are sent with this token until you close the page.";
  };
  listen(use);
}

function listen(use: (token: string) => void): void {
  element("token-form", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    use(field.value.trim().replace(/^Bearer\s+/iu, ""));
  });
  element("own-session", HTMLButtonElement).addEventListener("click", () => {
    void useOwnSession(use);
  });
}

async function useOwnSession(use: (token: string) => void): Promise<void> {
  const token = await refreshedToken();
  if (token === undefined) return;
  field.value = token;
  use(token);
}

/** Returns a token of the person who is signed in to this service, or `undefined` after the page has said why there is none. */
async function refreshedToken(): Promise<string | undefined> {
  try {
    const init = { method: "POST", signal: AbortSignal.timeout(ANSWER_MS) };
    const response = await fetch("/auth/refresh", init);
    const answer: { readonly token?: string; readonly detail?: string } = await response.json();
    if (response.ok && answer.token !== undefined) return answer.token;
    state.textContent =
      response.status === 401
        ? "You are not signed in. Sign in on the start page, then come back."
        : (answer.detail ?? `The service answered ${response.status}.`);
  } catch (error) {
    console.warn(error);
    state.textContent = "The service did not answer. Please try again.";
  }
  return undefined;
}

/** Gives names to what Swagger UI leaves without one. */
function nameParts(): void {
  for (const select of place.querySelectorAll(".examples-select-element:not([aria-label])"))
    select.setAttribute("aria-label", "Example");
}

/** Swagger UI has colours for the dark that a class turns on. */
function followColourScheme(): void {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dark.addEventListener("change", apply);
  apply();
}
