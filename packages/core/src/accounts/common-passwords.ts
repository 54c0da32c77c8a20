/** What is tried first, everywhere: the commonest passwords of published leaks that are long enough for us, in small letters. */
const commonPasswords: ReadonlySet<string> = new Set(
  [
    "00000000 01234567 0123456789 0987654321 09876543 10203040 11111111 1111111111 11223344 1122334455 112233445566",
    "12121212 12312312 123123123 12341234 123454321 12345678 123456789 1234567890 12345678910 1234567891 123456789a",
    "12344321 123456aa 1234abcd 1234qwer 123qweasd 123qweasdzxc 13131313 147258369 147852369 159357456 159753456",
    "1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx 1qaz2wsx3edc 1qazxsw2 20202020 22222222 23456789 31415926 33333333",
    "44444444 55555555 55667788 66666666 77777777 78787878 789456123 87654321 876543210 88888888 963852741 987654321",
    "9876543210 98765432 99999999 a1234567 a12345678 a123456789 aa123456 aa12345678 aaaaaaaa abc12345 abc123456",
    "abcd1234 abcdefgh abcdefghi access14 admin123 admin1234 admin12345 administrator adminadmin alexander asdasdasd",
    "asdf1234 asdfasdf asdfghjk asdfghjkl baseball basketball benjamin bismillah blink182 butterfly caroline changeme",
    "charlotte chocolate christian christopher cocacola computer danielle december elizabeth facebook fernando",
    "football freedom1 garfield gabriel1 hello123 hellohello iloveyou iloveyou1 iloveyou2 indonesia indonesia123",
    "internet jakarta123 jennifer jonathan jordan23 kawasaki letmein1 letmein123 liverpool login123 manchester",
    "master123 maverick mercedes metallica michelle midnight mustang1 myspace1 nicholas november p@ssw0rd p@ssword",
    "passw0rd password password! password1 password12 password123 password1234 password1! password2 password3",
    "patricia pa55word pokemon1 princess princess1 q1w2e3r4 q1w2e3r4t5 qazwsxedc qwer1234 qwerasdf qwert123 qwerty12",
    "qwerty123 qwerty1234 qwerty12345 qwertyui qwertyuiop rahasia1 rahasia123 samantha samsung1 sayang123 sayangku",
    "scorpion september slipknot sparkle1 spiderman starwars steelers summer123 sunshine sunshine1 superman",
    "test1234 test12345 testtest thomas123 trustno1 valentina veronica victoria welcome1 welcome123 whatever william1",
    "winter123 xxxxxxxx zaq12wsx zaq1zaq1 zxcvbnm1 zxcvbnm123 zxcvbnm, zxcvzxcv",
  ].flatMap((line) => line.split(" ")),
);

/** A short list is enough here: what lies beyond it, the limits of log-in keep from being tried. */
export function isCommonPassword(password: string): boolean {
  return commonPasswords.has(password.normalize("NFC").toLowerCase());
}
