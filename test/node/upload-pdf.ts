import { pdfFile } from "../knowledge/reading/pdf-file.ts";

/** Signs somebody up at the service under `url`, uploads a PDF file titled "Kettle", and returns the titles of all pages. */
export async function titlesAfterUpload(url: string): Promise<readonly string[]> {
  const call = async <Answer>(path: string, init: RequestInit): Promise<Answer> => {
    const response = await fetch(`${url}${path}`, init);
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as Answer;
  };
  const json = (body: unknown, headers = {}) => ({
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });

  const account = json({ username: "reader", password: "x" });
  const { token } = await call<{ token: string }>("/auth/local/signup", account);
  const headers = { authorization: `Bearer ${token}` };
  const base = await call<{ kb_id: string }>("/knowledge-bases", json({ name: "Files" }, headers));
  const form = new FormData();
  const file = pdfFile([[{ text: "The kettle holds two litres.", y: 700 }]], "Kettle");
  form.append("file", new File([file], "kettle.pdf", { type: "application/pdf" }));
  await call(`/knowledge-bases/${base.kb_id}/uploads`, { method: "POST", headers, body: form });

  type Pages = { readonly items: readonly { readonly title: string }[] };
  const { items } = await call<Pages>(`/knowledge-bases/${base.kb_id}/pages`, { headers });
  return items.map(({ title }) => title);
}
