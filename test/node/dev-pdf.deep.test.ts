import { expect, it } from "vitest";
import { startServer, workplace } from "./dev-process.ts";
import { titlesAfterUpload } from "./upload-pdf.ts";

it("starts the Worker that reads PDF beside the service", async () => {
  const variables = await workplace();
  const server = await startServer(variables);

  expect(await titlesAfterUpload(`http://127.0.0.1:${variables.PORT}`)).toEqual(["Kettle"]);
  server.child.kill("SIGINT");
  expect(await server.exited).toEqual([0, null]);
});
