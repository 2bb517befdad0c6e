import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findProvider } from "../../src/llm/providers.ts";
import { BUDGETS } from "../../src/llm/budgets.ts";
import { createResolver } from "../../src/shared/dns.ts";
import { isGlobalAddress } from "../../src/shared/ip-ranges.ts";
import { type OutOfBounds, outOfBounds } from "../../src/shared/outbound.ts";
import { contextOf } from "./protocols/protocol.ts";

const POLICY = { isLocal: false, ownHosts: ["api.ours.dev", "Ours.App"], allowedOrigins: [] };

const GOOD = [
  "https://api.openai.com/v1",
  "https://openrouter.ai/api/v1",
  "https://models.example.com/v1",
  "https://example.com:443/v1",
  "https://example.com:80/v1",
  "https://EXAMPLE.com./v1",
  "https://localhost.example.com/v1",
  "https://internal.example.com/v1",
  "https://notours.app/v1",
  "https://10.example.com/v1",
  "https://xn--bcher-kva.example.com/v1",
];

/** Addresses that must be refused, and the reason. */
const BAD: Readonly<Record<OutOfBounds, readonly string[]>> = {
  unreadable: [
    "",
    "nonsense",
    "//host/v1",
    "https://",
    "http://[::1",
    "https://exa mple.com",
    "http://256.1.1.1/",
  ],
  scheme: [
    "data:application/json,{}",
    "file:///etc/passwd",
    "ftp://example.com/",
    "gopher://example.com/",
    "ws://example.com/",
    "javascript:alert(1)",
    "blob:https://example.com/x",
  ],
  userinfo: [
    "https://user@example.com/",
    "https://user:secret@example.com/",
    "https://api.openai.com@evil.com/",
  ],
  port: [
    "http://example.com:22/",
    "https://example.com:8443/",
    "http://example.com:8080/",
    "https://example.com:6379/",
    "https://127.0.0.1:25/",
  ],
  insecure: ["http://models.example.com/v1", "http://example.com:80/v1", "HTTP://example.com:443/v1"],
  host: [
    "https://vllm.svc/",
    "https://vllm.default.svc../",
    "https://VLLM.SVC./",
    "https://vllm.default.svc.cluster.local/",
    "https://metadata.google.internal./",
    "https://Ollama.LOCALHOST/",
    "https://nas.HOME.ARPA./",
    "https://printer。local/",
    "https://ollama｡internal/",
    "https://ollama．ＩＮＴＥＲＮＡＬ/",
    "https://ollama%2einternal/",
    "https://ollama.inter\u00adnal/",
    "https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/",
    "https://router./",
    "http://localhost/v1",
    "http://LOCALHOST/v1",
    "http://localhost./v1",
    "http://foo.localhost/v1",
    "http://router/v1",
    "http://printer.local/v1",
    "http://printer.local./v1",
    "http://metadata.google.internal/",
    "http://nas.home.arpa/",
    "http://1.0.0.127.in-addr.arpa/",
    "http://git.corp/",
    "http://box.lan/",
    "http://x.onion/",
    "https://api.ours.dev/llm",
    "https://API.OURS.DEV./llm",
    "https://a.api.ours.dev/",
    "https://ours.app/",
    "http://127.0.0.1/",
    "http://127.1/",
    "http://127.0.0.1./",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://①②⑦.0.0.1/",
    "http://127。0。0。1/",
    "http://0/",
    "http://0.0.0.0/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/",
    "http://198.18.0.1/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://8.8.8.8/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[2001:db8::1]/",
    "http://[fe80::1]/",
    "http://[fc00::1]/",
    "http://[ff02::1]/",
    "http://[2606:4700::1]/",
  ],
  address: [],
};

const CASES = Object.entries(BAD).flatMap(([reason, urls]) => urls.map((url) => [url, reason] as const));

it("covers at least eighty addresses", () => {
  expect(CASES.length + GOOD.length).toBeGreaterThanOrEqual(80);
});

it.each(GOOD)("allows %s", (url) => {
  expect(outOfBounds(url, POLICY)).toBeUndefined();
});

// Scenario 24.
it.each(CASES)("refuses %s: %s", (url, reason) => {
  expect(outOfBounds(url, POLICY)).toBe(reason);
});

it("allows every network address in local development, and nothing else", () => {
  const local = { ...POLICY, isLocal: true };

  expect(outOfBounds("http://localhost:11434/v1", local)).toBeUndefined();
  expect(outOfBounds("http://192.168.1.1:8000/v1", local)).toBeUndefined();
  expect(outOfBounds("data:text/plain,x", local)).toBe("scheme");
  expect(outOfBounds("http://user@localhost/v1", local)).toBe("userinfo");
});

describe("with allowed origins", () => {
  const allowedOrigins = ["http://localhost:11434", "http://vllm.internal:8000", "https://10.0.0.5"];
  const policy = { ...POLICY, allowedOrigins };

  it.each([
    "http://localhost:11434/v1",
    "http://LOCALHOST:11434/v1/models",
    "http://vllm.internal:8000/v1",
    "http://vllm.INTERNAL:8000/v1",
    "https://10.0.0.5/v1",
    "https://10.5:443/v1",
  ])("allows %s", (url) => {
    expect(outOfBounds(url, policy)).toBeUndefined();
  });

  it.each([
    ["http://localhost/v1", "host"],
    ["http://localhost:11435/v1", "port"],
    ["https://localhost:11434/v1", "port"],
    ["http://localhost.:11434/v1", "port"],
    ["http://127.0.0.1:11434/v1", "port"],
    ["http://a.localhost:11434/v1", "port"],
    ["http://vllm.internal/v1", "host"],
    ["http://10.0.0.5/v1", "host"],
    ["https://10.0.0.6/v1", "host"],
    ["http://user@localhost:11434/v1", "userinfo"],
    ["ftp://localhost:11434/v1", "scheme"],
    ["https://localhost:11434@evil.example.com/v1", "userinfo"],
    ["http://models.example.com/v1", "insecure"],
  ] as const)("refuses %s: %s", (url, reason) => {
    expect(outOfBounds(url, policy)).toBe(reason);
  });
});

describe("addresses", () => {
  it.each([
    "8.8.8.8",
    "1.1.1.1",
    "172.15.255.255",
    "172.32.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00:1450:4001:81b::200e",
  ])("%s is public", (address) => {
    expect(isGlobalAddress(address)).toBe(true);
  });

  it.each([
    "0.0.0.0",
    "10.255.255.255",
    "100.64.0.0",
    "127.255.255.255",
    "169.254.169.254",
    "172.16.0.0",
    "172.31.255.255",
    "192.0.0.8",
    "192.168.0.1",
    "198.19.255.255",
    "203.0.113.7",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:8.8.8.8",
    "2606:4700::1111]/x[",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "fc00::1",
    "fd12::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "not an address",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.400",
    "",
    "1::2::3",
  ])("%s is not", (address) => {
    expect(isGlobalAddress(address)).toBe(false);
  });

  it("refuses every private IPv4 address in every notation, and inside IPv6 addresses", () => {
    const octet = fc.nat(255);
    const address = fc.oneof(
      fc.tuple(fc.constantFrom(0, 10, 127), octet, octet, octet),
      fc.tuple(fc.constant(192), fc.constant(168), octet, octet),
      fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), octet, octet),
      fc.tuple(fc.constant(169), fc.constant(254), octet, octet),
    );

    fc.assert(
      fc.property(address, (octets) => {
        const [a, b, c, d] = octets;
        const number = ((a * 256 + b) * 256 + c) * 256 + d;
        const dotted = octets.join(".");
        const [high, low] = [a * 256 + b, c * 256 + d].map((group) => group.toString(16));
        const hosts = [
          dotted,
          String(number),
          `0x${number.toString(16)}`,
          `0${number.toString(8)}`,
          octets.map((part) => `0x${part.toString(16)}`).join("."),
          `${a}.${b}.${c * 256 + d}`,
          `[::ffff:${dotted}]`,
          `[::ffff:${high}:${low}]`,
          `[64:ff9b::${high}:${low}]`,
          `[2002:${high}:${low}::]`,
        ];

        expect(hosts.filter((host) => outOfBounds(`http://${host}/`, POLICY) !== "host")).toEqual([]);
        expect(isGlobalAddress(dotted)).toBe(false);
        expect(isGlobalAddress(`::ffff:${dotted}`)).toBe(false);
        expect(isGlobalAddress(`64:ff9b::${high}:${low}`)).toBe(false);
        expect(isGlobalAddress(`2002:${high}:${low}::1`)).toBe(false);
      }),
    );
  });
});

describe("a server whose address a user enters", () => {
  const provider = findProvider("OpenAICompatible", false);

  /** Asks at an address by both ways there are, and counts what reaches the network. */
  async function askAt(
    baseUrl: string,
    more: {
      addresses?: readonly string[];
      answer?: () => Response;
      isLocal?: boolean;
      allowedOrigins?: readonly string[];
    } = {},
  ) {
    const hits: string[] = [];
    const lookedUp: string[] = [];
    const context = contextOf({
      isLocal: more.isLocal ?? false,
      ownHosts: POLICY.ownHosts,
      allowedOrigins: more.allowedOrigins ?? [],
      resolve: (host) => {
        lookedUp.push(host);
        return Promise.resolve(more.addresses ?? ["93.184.215.14"]);
      },
      fetch: (input, init) => {
        hits.push(new Request(input, init).url);
        return Promise.resolve(more.answer?.() ?? Response.json({ data: [] }));
      },
    });
    const credentials = { base_url: baseUrl, api_key: "k" };
    const { signal } = new AbortController();
    const reading = async () => {
      const model = provider?.open(credentials, "m", {}, context);
      const messages = [{ role: "user", content: "Hi" }] as const;
      await Array.fromAsync(model?.stream({ messages, tools: [] }, signal) ?? []);
    };

    const errors = await Promise.allSettled([
      reading(),
      provider?.listModels(credentials, context, signal) ?? Promise.reject(new Error("no provider")),
    ]);
    return {
      hits,
      lookedUp,
      codes: errors.map((end) => (end.status === "rejected" ? end.reason?.code : "fine")),
      retryable: errors.map((end) => (end.status === "rejected" ? end.reason?.retryable : undefined)),
    };
  }

  it("is neither requested nor looked up at a blocked address", async () => {
    const seen: string[] = [];
    for (const [url] of CASES.filter(([, reason]) => reason !== "unreadable")) {
      const { hits, lookedUp, codes } = await askAt(url);
      seen.push(
        ...hits,
        ...lookedUp,
        ...codes.filter((code) => code !== "provider-unavailable").map(() => url),
      );
    }

    expect(seen).toEqual([]);
  });

  it.each([
    ["an address of this machine", ["127.0.0.1"]],
    ["the metadata service", ["169.254.169.254"]],
    ["a public and a private one", ["93.184.215.14", "10.0.0.1"]],
    ["a private IPv6 one", ["93.184.215.14", "fd00::1"]],
    ["none", []],
  ])("receives no request if its name resolves to %s", async (_case, addresses) => {
    const { hits, codes, retryable } = await askAt("https://evil.example.com/v1", { addresses });

    expect([hits, codes, retryable]).toEqual([
      [],
      ["provider-unavailable", "provider-unavailable"],
      [false, false],
    ]);
  });

  it("can't redirect requests", async () => {
    const answer = () =>
      new Response(null, { status: 307, headers: { location: "http://169.254.169.254/latest" } });
    const { hits, codes } = await askAt("https://models.example.com/v1", { answer });

    expect(hits.toSorted()).toEqual([
      "https://models.example.com/v1/chat/completions",
      "https://models.example.com/v1/models",
    ]);
    expect(codes).toEqual(["provider-unavailable", "provider-unavailable"]);
  });

  it("may be on the local machine in local development", async () => {
    const { hits } = await askAt("http://localhost:11434/v1", { isLocal: true, addresses: [] });

    expect(hits).toContain("http://localhost:11434/v1/models");
  });

  it("may be at any origin that the deployment allows, and is not looked up there", async () => {
    const allowedOrigins = ["http://vllm.internal:8000"];
    const { hits, lookedUp } = await askAt("http://vllm.internal:8000/v1", { allowedOrigins, addresses: [] });

    expect(hits.toSorted()).toEqual([
      "http://vllm.internal:8000/v1/chat/completions",
      "http://vllm.internal:8000/v1/models",
    ]);
    expect(lookedUp).toEqual([]);
  });

  it.each([
    ["http://models.example.com/v1", "It has to begin with https://."],
    ["https://ollama.internal/v1", "It has to name a public host."],
    ["http://localhost/v1", "It has to name a public host."],
    ["https://api.cloudflare.com/client/v4/accounts/ACCOUNT_ID/ai/v1", "ACCOUNT_ID"],
    ["https://api.example.com/v1?key=1", "query"],
  ])("is refused when it is entered: %s", (base_url, words) => {
    expect(provider?.validateCredentials({ base_url, api_key: "k" }, contextOf())).toContain(words);
  });

  it("requires a key, except in local development and if the deployment allows its origin", () => {
    const base_url = "https://api.groq.com/openai/v1";

    expect(provider?.validateCredentials({ base_url }, contextOf())).toBe("Enter an API key.");
    expect(provider?.validateCredentials({ base_url, api_key: "k" }, contextOf())).toBeUndefined();
    expect(provider?.validateCredentials({ base_url }, contextOf({ isLocal: true }))).toBeUndefined();
    const allowedOrigins = ["https://api.groq.com"];
    expect(provider?.validateCredentials({ base_url }, contextOf({ allowedOrigins }))).toBeUndefined();
  });
});

describe("the resolver", () => {
  const zone: Readonly<Record<string, object>> = {
    A: {
      Status: 0,
      Answer: [
        { type: 5, data: "other.example.com." },
        { type: 1, data: "93.184.215.14" },
      ],
    },
    AAAA: { Status: 0, Answer: [{ type: 28, data: "2606:2800::1" }] },
  };

  function resolver(answer: (type: string) => Response | Promise<Response>, now = () => 0) {
    const asked: string[] = [];
    const resolve = createResolver({
      fetch: (input, init) => {
        const { url, signal } = new Request(input, init);
        asked.push(url);
        const late = new Promise<never>((_, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        });
        return Promise.race([answer(new URL(url).searchParams.get("type") ?? ""), late]);
      },
      endpoint: "https://dns.test/query",
      now,
      timeoutMs: 50,
      keepMs: BUDGETS.resolvedForMs,
    });
    return { resolve, asked };
  }

  it("looks up IPv4 and IPv6 addresses, and caches them for a while", async () => {
    let now = 0;
    const { resolve, asked } = resolver(
      (type) => Response.json(zone[type]),
      () => now,
    );

    expect(await resolve("example.com")).toEqual(["93.184.215.14", "2606:2800::1"]);
    now = BUDGETS.resolvedForMs - 1;
    await resolve("example.com");
    expect(asked).toEqual([
      "https://dns.test/query?name=example.com&type=A",
      "https://dns.test/query?name=example.com&type=AAAA",
    ]);
    now = BUDGETS.resolvedForMs;
    await resolve("example.com");
    expect(asked).toHaveLength(4);
  });

  it("returns no address for an unknown name", async () => {
    expect(await resolver(() => Response.json({ Status: 3 })).resolve("nowhere.example.com")).toEqual([]);
  });

  it.each([
    ["fails", () => new Response("no", { status: 500 }), "answered with 500"],
    ["has trouble", () => Response.json({ Status: 2 }), "could not answer"],
    ["sends nonsense", () => Response.json("?"), "could not answer"],
    ["does not answer in time", (): Promise<Response> => new Promise(() => undefined), "did not answer"],
  ])("throws when it %s", async (_case, answer, message) => {
    await expect(resolver(answer).resolve("example.com")).rejects.toThrow(message);
  });
});
