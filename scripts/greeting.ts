/**
 * Returns what `npm run dev` says when it is ready: addresses, and a command to paste. No line is wider than 100 columns.
 * `demoSite` is the address of a page with the widget, `signInPage` that of the page of `npm run dev:oidc`.
 */
export function greeting(
  port: number,
  { demoSite, signInPage }: { readonly demoSite: string; readonly signInPage: string | undefined },
): string {
  const api = `http://localhost:${port}`;
  const account = `'{"username":"ada","password":"secret"}'`;
  return [
    `ready: ${api}`,
    `to try it: open ${api} in a browser`,
    `a site with a chat in its corner: ${demoSite}`,
    `every route: ${api}/openapi.json`,
    ...(signInPage === undefined ? [] : [`sign in: ${signInPage}`]),
    "a conversation: npm run demo",
    "a token of your own:",
    `  curl ${api}/auth/local/signup --json ${account}`,
  ].join("\n");
}
