import { OAuth2Server } from "oauth2-mock-server";

/** Who signs in at the local issuer; it asks for no password. */
const PERSON = {
  sub: "grace-hopper",
  email: "grace@example.com",
  email_verified: true,
  name: "Grace Hopper",
  picture: "https://example.com/grace.png",
};

/**
 * An OpenID issuer on this machine, on a free port: it signs everybody in as one and the same person. `reachedAt` is the address under
 * which it is known, if a proxy stands before it.
 */
export async function startOpenIdServer(
  reachedAt?: string,
): Promise<{ url: string; stop: () => Promise<void> }> {
  const server = new OAuth2Server();
  await server.issuer.keys.generate("RS256");
  server.service.on("beforeTokenSigning", (token: { payload: object }) => {
    Object.assign(token.payload, PERSON);
  });
  await server.start(0, "127.0.0.1");

  // By number, because not every client resolves `localhost` to the same address.
  const url = `http://127.0.0.1:${server.address().port}`;
  server.issuer.url = reachedAt ?? url;
  return { url, stop: () => server.stop() };
}
