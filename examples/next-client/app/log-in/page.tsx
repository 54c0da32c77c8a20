import { LogInForm } from "./log-in-form";

export default function LogInPage() {
  return (
    <main>
      <h1>Log in</h1>
      <LogInForm />
    </main>
  );
}
