/** Uses the client against a running platform, over a line that loses answers, and prints what came of it. */
import { all, answer, createStoa, StoaError } from "../src/index.js";

declare const process: { argv: string[] };
const [, , address = "", key = ""] = process.argv;

const sent = new Set<string>();
const stoa = createStoa({
  address,
  key,
  fetch: async (request) => {
    const once = request.method + request.url + request.headers.get("Idempotency-Key");
    const response = await fetch(request);
    if (sent.has(once)) return response;
    sent.add(once);
    throw new TypeError("the answer was lost");
  },
});

const made: string[] = [];
for (const title of ["Blue bowl", "Red bowl", "Green bowl"]) {
  const product = await answer(stoa.POST("/v1/products", { body: { title, tags: ["clay"] } }));
  made.push(product.id);
}

const listed: string[] = [];
for await (const product of all((cursor) => stoa.GET("/v1/products", { params: { query: { limit: 1, tag: "clay", cursor } } }))) {
  listed.unshift(product.id);
}

const changed = await answer(
  stoa.PATCH("/v1/products/{product_id}", {
    params: { path: { product_id: made[0] ?? "" } },
    body: { seo_title: "Bowls of clay" },
  }),
);

let code = "";
try {
  await answer(stoa.GET("/v1/products/{product_id}", { params: { path: { product_id: "prod_0" } } }));
} catch (refused) {
  if (!(refused instanceof StoaError)) throw refused;
  code = refused.code;
}

console.log(JSON.stringify({ made, listed, seo_title: changed.seo_title, code }));
