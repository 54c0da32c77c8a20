import "server-only";

const usual = "http://127.0.0.1:3000";

/** Where this process reaches the API: may be an address inside the cluster. */
export function apiUrl(): string {
  return process.env["SEWA_API_URL"] ?? usual;
}

/** Where browsers reach it. Handed to them at run time, so that one build serves every environment. */
export function publicApiUrl(): string {
  return process.env["SEWA_PUBLIC_API_URL"] ?? apiUrl();
}
