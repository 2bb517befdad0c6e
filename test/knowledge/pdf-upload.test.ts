import { expect, it } from "vitest";
import { signUp } from "../support/app.ts";
import { createBase, upload } from "../support/knowledge.ts";

it("stores what the Worker that reads PDF answers, with a heading per page", async () => {
  const client = await signUp();
  const { kbId } = await createBase(client);

  const { status, body } = await upload(client, kbId, [{ name: "a.pdf", content: "%PDF-1.7 of this test" }]);
  expect({ status, body }).toMatchObject({ status: 201, body: { files: [{ status: "stored" }] } });
  const page = await client("GET", `/knowledge-bases/${kbId}/pages/${body.files[0].page_id}`);
  expect(page.body).toMatchObject({ title: "A file", markdown: "## Page 1\n\nThis file has 21 bytes." });
});
