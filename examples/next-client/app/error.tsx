"use client";

/** What a page could not do although its visitor did nothing wrong; the digest finds it in the log of this process. */
export default function ErrorPage({
  error,
  reset,
}: {
  readonly error: Error & { readonly digest?: string };
  readonly reset: () => void;
}) {
  return (
    <main>
      <h1>That did not work</h1>
      <p>Try again in a moment. Reference: {error.digest ?? "none"}</p>
      <button type="button" onClick={reset}>
        Try again
      </button>
    </main>
  );
}
