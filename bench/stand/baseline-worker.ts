import { AwsClient } from "aws4fetch";

/** The text bindings of the baseline. */
interface Bindings {
  readonly DYNAMODB_ENDPOINT: string;
  readonly DYNAMODB_TABLE: string;
  readonly DEMO_MODEL_URL: string;
}

/** A key of the table, in DynamoDB's format. */
interface BaselineKey {
  readonly pk: { readonly S: string };
  readonly sk: { readonly S: string };
}

/** The body of `POST /turn`: the key to read, and the request to the model. */
export interface BaselineTurn {
  readonly key: BaselineKey;
  readonly chat: object;
}

const READS_OF_A_TURN = 4;

let aws: AwsClient | undefined;

/** Signs and sends one GetItem, as every way to DynamoDB must, and returns its answer. */
async function getItem(env: Bindings, key: BaselineKey): Promise<unknown> {
  aws ??= new AwsClient({
    accessKeyId: "local",
    secretAccessKey: "local",
    region: "us-east-1",
    service: "dynamodb",
    retries: 0,
  });
  const response = await aws.fetch(env.DYNAMODB_ENDPOINT, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": "DynamoDB_20120810.GetItem",
    },
    body: JSON.stringify({ TableName: env.DYNAMODB_TABLE, Key: key, ConsistentRead: true }),
  });
  return response.json();
}

/** The smallest answer to each kind of request: one item, or four reads at once and the model's stream passed on. */
const handler = {
  async fetch(request: Request, env: Bindings): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/health") return new Response("healthy");
    if (pathname === "/item") {
      const [pk, sk] = [searchParams.get("pk") ?? "", searchParams.get("sk") ?? ""];
      return Response.json(await getItem(env, { pk: { S: pk }, sk: { S: sk } }));
    }

    const { key, chat } = await request.json<BaselineTurn>();
    await Promise.all(Array.from({ length: READS_OF_A_TURN }, () => getItem(env, key)));
    const { body } = await fetch(`${env.DEMO_MODEL_URL}/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(chat),
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  },
};

// oxlint-disable-next-line import/no-default-export -- Workers export their handlers like this.
export default handler;
