/**
 * A kubeconfig with a bearer token. It is YAML; the values are written as JSON strings, which YAML reads alike. Client
 * libraries refuse a server without TLS unless the config says that TLS is not to be checked; on loopback it need not be.
 */
export function renderKubeconfig(server: string, token: string): string {
  return `apiVersion: v1
kind: Config
current-context: devcluster
clusters:
- name: devcluster
  cluster:
    server: ${JSON.stringify(server)}
    insecure-skip-tls-verify: true
users:
- name: devcluster
  user:
    token: ${JSON.stringify(token)}
contexts:
- name: devcluster
  context:
    cluster: devcluster
    user: devcluster
    namespace: default
`;
}
