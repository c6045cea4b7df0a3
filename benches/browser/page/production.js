// Has the package take this page for production, as the bundlers of those who ship it do: otherwise it would freeze what it gives.

globalThis.process = { env: { NODE_ENV: "production" } };
