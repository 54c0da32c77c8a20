/** Of the contract. The same as in package.json, which a test compares. */
export const apiVersion = "0.1.0";
