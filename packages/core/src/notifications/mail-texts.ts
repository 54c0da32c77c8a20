import type { Locale, NotificationData, NotificationKind } from "./notification.ts";

/** Plain text throughout; the renderer escapes it where HTML is made. */
export interface MailText {
  readonly subject: string;
  readonly paragraphs: readonly string[];
  /** What stands on the button. */
  readonly action: string;
}

/** Writes what depends on language and time zone. */
export interface Formats {
  readonly date: (iso: string) => string;
  readonly money: (amountMinor: string, currency: string) => string;
}

type Texts = {
  readonly [K in NotificationKind]: Readonly<Record<Locale, (data: NotificationData[K], formats: Formats) => MailText>>;
};

/**
 * Every mail in every language: a kind or a language without its text does not compile. The three account mails name
 * nobody: whoever registers with a stranger's address must not be able to put words into the stranger's mailbox.
 */
export const mailTexts: Texts = {
  verify_email: {
    id: () => ({
      subject: "Konfirmasi alamat email Anda",
      paragraphs: [
        "Terima kasih telah mendaftar di Sewa. Konfirmasikan alamat email Anda dengan tombol di bawah ini. Tautan berlaku 24 jam dan hanya untuk satu kali pakai.",
        "Jika bukan Anda yang mendaftar, abaikan email ini.",
      ],
      action: "Konfirmasi alamat email",
    }),
    en: () => ({
      subject: "Confirm your e-mail address",
      paragraphs: [
        "Thank you for registering with Sewa. Confirm your e-mail address with the button below. The link works once, within 24 hours.",
        "If it was not you who registered, ignore this mail.",
      ],
      action: "Confirm address",
    }),
  },
  reset_password: {
    id: () => ({
      subject: "Atur ulang kata sandi Anda",
      paragraphs: [
        "Ada permintaan untuk mengatur ulang kata sandi akun Sewa Anda. Pilih kata sandi baru dengan tombol di bawah ini. Tautan berlaku satu jam dan hanya untuk satu kali pakai.",
        "Jika bukan Anda yang meminta, abaikan email ini; kata sandi Anda tidak berubah.",
      ],
      action: "Pilih kata sandi baru",
    }),
    en: () => ({
      subject: "Reset your password",
      paragraphs: [
        "Somebody asked to reset the password of your Sewa account. Choose a new one with the button below. The link works once, within one hour.",
        "If it was not you who asked, ignore this mail; your password stays as it is.",
      ],
      action: "Choose a new password",
    }),
  },
  register_attempt: {
    id: () => ({
      subject: "Anda sudah memiliki akun",
      paragraphs: [
        "Seseorang mencoba mendaftar di Sewa dengan alamat email Anda. Anda sudah memiliki akun, jadi tidak ada yang berubah.",
        "Jika itu Anda dan kata sandi terlupa, atur ulang dengan tombol di bawah ini. Jika bukan, abaikan email ini.",
      ],
      action: "Atur ulang kata sandi",
    }),
    en: () => ({
      subject: "You already have an account",
      paragraphs: [
        "Somebody tried to register with Sewa using your e-mail address. You already have an account, so nothing was changed.",
        "If it was you and the password is forgotten, reset it with the button below. If not, ignore this mail.",
      ],
      action: "Reset password",
    }),
  },
  sign_in_added: {
    id: ({ providerLabel }) => ({
      subject: "Cara masuk baru ditambahkan",
      paragraphs: [
        `Akun Sewa Anda sekarang juga dapat dibuka dengan ${providerLabel}.`,
        "Jika bukan Anda yang melakukannya, hapus cara masuk itu dan ganti kata sandi Anda dengan tombol di bawah ini.",
      ],
      action: "Periksa keamanan akun",
    }),
    en: ({ providerLabel }) => ({
      subject: "A new way to sign in was added",
      paragraphs: [
        `Your Sewa account can now be opened with ${providerLabel} as well.`,
        "If it was not you, remove that way to sign in and change your password with the button below.",
      ],
      action: "Look at your security settings",
    }),
  },
  sign_in_removed: {
    id: ({ providerLabel }) => ({
      subject: "Satu cara masuk dihapus",
      paragraphs: [
        `Akun Sewa Anda tidak lagi dapat dibuka dengan ${providerLabel}.`,
        "Jika bukan Anda yang melakukannya, ganti kata sandi Anda dengan tombol di bawah ini.",
      ],
      action: "Periksa keamanan akun",
    }),
    en: ({ providerLabel }) => ({
      subject: "A way to sign in was removed",
      paragraphs: [
        `Your Sewa account can no longer be opened with ${providerLabel}.`,
        "If it was not you, change your password with the button below.",
      ],
      action: "Look at your security settings",
    }),
  },
  password_changed: {
    id: () => ({
      subject: "Kata sandi Anda diganti",
      paragraphs: [
        "Kata sandi akun Sewa Anda baru saja diganti, dan semua sesi lain telah diakhiri.",
        "Jika bukan Anda yang melakukannya, minta kata sandi baru di halaman masuk dan hubungi kami.",
      ],
      action: "Periksa keamanan akun",
    }),
    en: () => ({
      subject: "Your password was changed",
      paragraphs: [
        "The password of your Sewa account was just changed, and all other sessions have ended.",
        "If it was not you, ask for a new password on the log-in page and tell us.",
      ],
      action: "Look at your security settings",
    }),
  },
  second_factor_changed: {
    id: ({ isOn }) => ({
      subject: isOn ? "Verifikasi dua langkah diaktifkan" : "Verifikasi dua langkah dimatikan",
      paragraphs: [
        isOn
          ? "Untuk masuk ke akun Sewa Anda sekarang diperlukan kode dari aplikasi autentikator."
          : "Untuk masuk ke akun Sewa Anda tidak lagi diperlukan kode dari aplikasi autentikator.",
        "Jika bukan Anda yang melakukannya, ganti kata sandi Anda dengan tombol di bawah ini.",
      ],
      action: "Periksa keamanan akun",
    }),
    en: ({ isOn }) => ({
      subject: isOn ? "The second factor was switched on" : "The second factor was switched off",
      paragraphs: [
        isOn
          ? "Logging in to your Sewa account now takes a code of an authenticator app."
          : "Logging in to your Sewa account takes no code of an authenticator app any more.",
        "If it was not you, change your password with the button below.",
      ],
      action: "Look at your security settings",
    }),
  },
  password_expiring: {
    id: ({ expiresAt }, { date }) => ({
      subject: "Kata sandi Anda segera berakhir",
      paragraphs: [
        `Kata sandi akun operator Anda berlaku sampai ${date(expiresAt)}. Setelah itu Anda tetap dapat masuk, tetapi hanya untuk memilih kata sandi baru.`,
        "Pilih kata sandi baru sebelum waktu itu. Sesi di perangkat lain akan berakhir.",
      ],
      action: "Ganti kata sandi",
    }),
    en: ({ expiresAt }, { date }) => ({
      subject: "Your password ends soon",
      paragraphs: [
        `The password of your operator's account holds until ${date(expiresAt)}. After that you can still log in, but only to choose a new one.`,
        "Choose a new password before then. Sessions on other devices will end.",
      ],
      action: "Change password",
    }),
  },
  invitation: {
    id: ({ organizationName, inviterName, inviterEmail, expiresAt }, { date }) => ({
      subject: `Undangan bergabung dengan ${withoutLinks(organizationName)}`,
      paragraphs: [
        `${withoutLinks(inviterName)} (${inviterEmail}) mengundang Anda bergabung dengan organisasi "${withoutLinks(organizationName)}" di Sewa.`,
        `Undangan berlaku sampai ${date(expiresAt)}, untuk alamat email ini saja. Jika Anda belum memiliki akun, daftarlah dengan alamat ini.`,
        "Jika Anda tidak mengenal pengirimnya, abaikan email ini.",
      ],
      action: "Lihat undangan",
    }),
    en: ({ organizationName, inviterName, inviterEmail, expiresAt }, { date }) => ({
      subject: `You are invited to join ${withoutLinks(organizationName)}`,
      paragraphs: [
        `${withoutLinks(inviterName)} (${inviterEmail}) invites you to join the organization "${withoutLinks(organizationName)}" on Sewa.`,
        `The invitation is good until ${date(expiresAt)}, for this e-mail address alone. If you have no account yet, register with this address.`,
        "If you do not know who sent it, ignore this mail.",
      ],
      action: "See the invitation",
    }),
  },
  app_ready: {
    id: ({ appName, address }) => ({
      subject: `${appName} siap digunakan`,
      paragraphs: [
        `Aplikasi ${appName} sudah berjalan di ${address}`,
        "Data untuk masuk dapat Anda lihat di portal. Kami tidak pernah mengirim kata sandi lewat email.",
      ],
      action: "Buka di portal",
    }),
    en: ({ appName, address }) => ({
      subject: `${appName} is ready`,
      paragraphs: [
        `Your app ${appName} is running at ${address}`,
        "You find how to log in to it in the portal. We never send passwords by mail.",
      ],
      action: "Open in the portal",
    }),
  },
  app_expiring: {
    id: ({ appName, expiresAt }, { date }) => ({
      subject: `Masa sewa ${appName} segera berakhir`,
      paragraphs: [
        `Masa sewa ${appName} berakhir pada ${date(expiresAt)}. Tanpa perpanjangan aplikasi dihentikan setelah itu, atau setelah hari tunggakan bila paket Anda memilikinya; datanya tetap disimpan selama masa tenggang.`,
        "Perpanjang sebelum tanggal tersebut agar aplikasi tetap berjalan.",
      ],
      action: "Perpanjang",
    }),
    en: ({ appName, expiresAt }, { date }) => ({
      subject: `${appName} expires soon`,
      paragraphs: [
        `The rental of ${appName} ends on ${date(expiresAt)}. Unless it is renewed, the app is stopped then, or after the days past due if its plan has some; its data is kept for the grace period.`,
        "Renew before that date to keep it running.",
      ],
      action: "Renew",
    }),
  },
  trial_ending: {
    id: ({ appName, amountMinor, currency, endsAt }, { date, money }) => ({
      subject: `Masa percobaan ${appName} segera berakhir`,
      paragraphs: [
        `Masa percobaan ${appName} berakhir pada ${date(endsAt)}. Periode berikutnya seharga ${money(amountMinor, currency)}.`,
        "Jika tidak ingin melanjutkan, akhiri sewa di portal sebelum tanggal tersebut.",
      ],
      action: "Buka di portal",
    }),
    en: ({ appName, amountMinor, currency, endsAt }, { date, money }) => ({
      subject: `The trial of ${appName} ends soon`,
      paragraphs: [
        `The trial of ${appName} ends on ${date(endsAt)}. The next period costs ${money(amountMinor, currency)}.`,
        "If you do not want to go on, end the rental in the portal before that date.",
      ],
      action: "Open in the portal",
    }),
  },
  app_expired: {
    id: ({ appName, deletesAt }, { date }) => ({
      subject: `${appName} telah dihentikan`,
      paragraphs: [
        `Masa sewa ${appName} telah berakhir dan aplikasi dihentikan. Datanya kami simpan sampai ${date(deletesAt)}.`,
        "Perpanjang sebelum tanggal tersebut dan aplikasi berjalan kembali dengan data yang sama.",
      ],
      action: "Perpanjang",
    }),
    en: ({ appName, deletesAt }, { date }) => ({
      subject: `${appName} was stopped`,
      paragraphs: [
        `The rental of ${appName} has ended and the app was stopped. We keep its data until ${date(deletesAt)}.`,
        "Renew before that date and it runs again with the same data.",
      ],
      action: "Renew",
    }),
  },
  app_deletion_soon: {
    id: ({ appName, deletesAt }, { date }) => ({
      subject: `Data ${appName} segera dihapus`,
      paragraphs: [
        `Aplikasi ${appName} sudah dihentikan. Aplikasi dan seluruh datanya dihapus pada ${date(deletesAt)} dan tidak dapat dikembalikan.`,
        "Perpanjang sebelum tanggal tersebut jika Anda masih membutuhkannya.",
      ],
      action: "Perpanjang",
    }),
    en: ({ appName, deletesAt }, { date }) => ({
      subject: `The data of ${appName} will be deleted soon`,
      paragraphs: [
        `${appName} has been stopped. The app and all its data are deleted on ${date(deletesAt)} and cannot be brought back.`,
        "Renew before that date if you still need it.",
      ],
      action: "Renew",
    }),
  },
  app_held: {
    id: ({ appName, message }) => ({
      subject: `${appName} dihentikan oleh operator`,
      paragraphs: [
        `Operator telah menghentikan ${appName}. Datanya tetap tersimpan, dan langganannya berjalan terus.`,
        ...(message === null ? [] : [`Operator menulis: ${message}`]),
      ],
      action: "Lihat aplikasi",
    }),
    en: ({ appName, message }) => ({
      subject: `${appName} was stopped by the operator`,
      paragraphs: [
        `The operator has stopped ${appName}. Its data is kept, and its subscription goes on.`,
        ...(message === null ? [] : [`The operator writes: ${message}`]),
      ],
      action: "See the app",
    }),
  },
  impersonation_began: {
    id: ({ organizationName, reason, until }, { date }) => ({
      subject: "Operator sedang bekerja atas nama Anda",
      paragraphs: [
        `Seorang operator bertindak atas nama Anda di ${withoutLinks(organizationName)}, paling lama sampai ${date(until)}. Alasannya: ${withoutLinks(reason)}`,
        "Operator tidak dapat membayar, melihat kata sandi, maupun mengubah akun Anda. Anda dapat mengakhirinya kapan saja di daftar sesi.",
      ],
      action: "Lihat sesi",
    }),
    en: ({ organizationName, reason, until }, { date }) => ({
      subject: "An operator is acting on your behalf",
      paragraphs: [
        `An operator acts as you in ${withoutLinks(organizationName)}, until ${date(until)} at the latest. The reason: ${withoutLinks(reason)}`,
        "They can neither pay nor see passwords nor change your account. You can end it at any time in the list of your sessions.",
      ],
      action: "See sessions",
    }),
  },
  impersonation_ended: {
    id: ({ organizationName, reason }) => ({
      subject: "Operator tidak lagi bekerja atas nama Anda",
      paragraphs: [
        `Operator telah berhenti bertindak atas nama Anda di ${withoutLinks(organizationName)}. Alasannya waktu itu: ${withoutLinks(reason)}`,
        "Apa yang dilakukannya ada di catatan audit organisasi Anda.",
      ],
      action: "Lihat sesi",
    }),
    en: ({ organizationName, reason }) => ({
      subject: "The operator no longer acts on your behalf",
      paragraphs: [
        `The operator has stopped acting as you in ${withoutLinks(organizationName)}. The reason was: ${withoutLinks(reason)}`,
        "What they did stands in the audit of your organization.",
      ],
      action: "See sessions",
    }),
  },
  second_factor_reset: {
    id: () => ({
      subject: "Faktor kedua Anda dimatikan",
      paragraphs: [
        "Operator telah mematikan faktor kedua akun Anda dan mengakhiri semua sesi Anda, seperti yang diminta.",
        "Masuklah dengan kata sandi dan aktifkan faktor kedua yang baru. Jika bukan Anda yang meminta, segera ganti kata sandi dan hubungi operator.",
      ],
      action: "Keamanan akun",
    }),
    en: () => ({
      subject: "Your second factor was switched off",
      paragraphs: [
        "An operator has switched off the second factor of your account and ended all of your sessions, as was asked for.",
        "Log in with your password and switch a new one on. If it was not you who asked, change your password now and tell the operator.",
      ],
      action: "Account security",
    }),
  },
  app_deleted: {
    id: ({ appName }) => ({
      subject: `${appName} telah dihapus`,
      paragraphs: [`Aplikasi ${appName} dan seluruh datanya telah dihapus. Faktur Anda tetap tersimpan di portal.`],
      action: "Lihat katalog",
    }),
    en: ({ appName }) => ({
      subject: `${appName} was deleted`,
      paragraphs: [`The app ${appName} and all its data were deleted. Your invoices stay in the portal.`],
      action: "See the catalog",
    }),
  },
  app_failed: {
    id: ({ appName, isRefunded }) => ({
      subject: `${appName} gagal disiapkan`,
      paragraphs: [
        `Maaf, ${appName} tidak berhasil kami siapkan. Pesanan dibatalkan dan tidak ada yang tertinggal.`,
        isRefunded ? "Pembayaran Anda telah dikembalikan." : "Anda tidak dikenai biaya.",
      ],
      action: "Pesan lagi",
    }),
    en: ({ appName, isRefunded }) => ({
      subject: `${appName} could not be set up`,
      paragraphs: [
        `We are sorry: ${appName} could not be set up. The order was cancelled and nothing of it is left.`,
        isRefunded ? "What you paid was returned." : "You were not charged.",
      ],
      action: "Order again",
    }),
  },
  payment_due: {
    id: ({ appName, amountMinor, currency, dueAt }, { date, money }) => ({
      subject: `Tagihan untuk ${appName}`,
      paragraphs: [
        `Tagihan sebesar ${money(amountMinor, currency)} untuk ${appName} jatuh tempo pada ${date(dueAt)}.`,
        "Bayar tepat waktu agar aplikasi tetap berjalan.",
      ],
      action: "Bayar",
    }),
    en: ({ appName, amountMinor, currency, dueAt }, { date, money }) => ({
      subject: `Payment for ${appName} is due`,
      paragraphs: [
        `${money(amountMinor, currency)} for ${appName} is due on ${date(dueAt)}.`,
        "Pay in time to keep the app running.",
      ],
      action: "Pay",
    }),
  },
  usage_due: {
    id: ({ appName, amountMinor, currency, dueAt }, { date, money }) => ({
      subject: `Tagihan pemakaian ${appName}`,
      paragraphs: [
        `Sebelum dihentikan, ${appName} telah memakai sumber daya senilai ${money(amountMinor, currency)}, jatuh tempo pada ${date(dueAt)}.`,
        "Rinciannya ada pada faktur di portal.",
      ],
      action: "Bayar",
    }),
    en: ({ appName, amountMinor, currency, dueAt }, { date, money }) => ({
      subject: `Payment for the use of ${appName} is due`,
      paragraphs: [
        `Before it was cancelled, ${appName} used what costs ${money(amountMinor, currency)}, due on ${date(dueAt)}.`,
        "The invoice in the portal says what it was.",
      ],
      action: "Pay",
    }),
  },
  usage_alert: {
    id: ({ appName, amountMinor, currency, endsAt }, { date, money }) => ({
      subject: `Pemakaian ${appName} mencapai ${money(amountMinor, currency)}`,
      paragraphs: [
        `Pemakaian ${appName} untuk periode sampai ${date(endsAt)} telah mencapai ${money(amountMinor, currency)}.`,
        "Anda menerima email ini karena Anda memintanya. Batas pemakaian dapat diatur di portal.",
      ],
      action: "Lihat pemakaian",
    }),
    en: ({ appName, amountMinor, currency, endsAt }, { date, money }) => ({
      subject: `The use of ${appName} has reached ${money(amountMinor, currency)}`,
      paragraphs: [
        `The use of ${appName} in the period that ends on ${date(endsAt)} has reached ${money(amountMinor, currency)}.`,
        "You asked to be told. Alerts and a cap can be set in the portal.",
      ],
      action: "See the use",
    }),
  },
  usage_capped: {
    id: ({ appName, amountMinor, currency, endsAt }, { date, money }) => ({
      subject: `${appName} dihentikan karena batas pemakaian`,
      paragraphs: [
        `Pemakaian ${appName} mencapai batas yang Anda tetapkan, ${money(amountMinor, currency)}, sehingga aplikasi dihentikan. Datanya tetap tersimpan.`,
        `Aplikasi berjalan kembali bila Anda menaikkan batas tersebut, atau saat periode berikutnya dimulai setelah ${date(endsAt)}.`,
      ],
      action: "Ubah batas",
    }),
    en: ({ appName, amountMinor, currency, endsAt }, { date, money }) => ({
      subject: `${appName} was stopped at its spending cap`,
      paragraphs: [
        `The use of ${appName} has reached the cap that you set, ${money(amountMinor, currency)}, so the app was stopped. Its data is kept.`,
        `It runs again when you raise the cap, or when the next period begins after ${date(endsAt)}.`,
      ],
      action: "Change the cap",
    }),
  },
  change_payment_due: {
    id: ({ appName, amountMinor, currency, dueAt }, { date, money }) => ({
      subject: `Tagihan untuk perubahan ${appName}`,
      paragraphs: [
        `Tagihan sebesar ${money(amountMinor, currency)} untuk perubahan ${appName} jatuh tempo pada ${date(dueAt)}.`,
        "Perubahan dilakukan setelah pembayaran diterima. Tanpa pembayaran, aplikasi tetap seperti sekarang.",
      ],
      action: "Bayar",
    }),
    en: ({ appName, amountMinor, currency, dueAt }, { date, money }) => ({
      subject: `Payment for the change of ${appName} is due`,
      paragraphs: [
        `${money(amountMinor, currency)} for the change of ${appName} is due on ${date(dueAt)}.`,
        "The change is made when the payment has come. Without it, the app stays as it is.",
      ],
      action: "Pay",
    }),
  },
  change_not_made: {
    id: ({ appName, isRefunded }) => ({
      subject: `Perubahan ${appName} tidak jadi dilakukan`,
      paragraphs: [
        `Perubahan yang Anda setujui untuk ${appName} tidak jadi dilakukan. Aplikasi tetap seperti semula.`,
        isRefunded ? "Pembayaran Anda untuk perubahan itu telah dikembalikan." : "Anda tidak dikenai biaya.",
      ],
      action: "Lihat aplikasi",
    }),
    en: ({ appName, isRefunded }) => ({
      subject: `The change of ${appName} was not made`,
      paragraphs: [
        `The change of ${appName} that you approved was not made. The app is as it was.`,
        isRefunded ? "What you paid for it was returned." : "You were not charged for it.",
      ],
      action: "See the app",
    }),
  },
  payment_failed: {
    id: ({ appName, amountMinor, currency, nextAttemptAt }, { date, money }) => ({
      subject: `Pembayaran untuk ${appName} gagal`,
      paragraphs: [
        `Kartu yang Anda simpan tidak dapat didebit sebesar ${money(amountMinor, currency)} untuk ${appName}.`,
        nextAttemptAt === null
          ? "Kami tidak mencoba lagi. Bayar sendiri agar aplikasi tetap berjalan."
          : `Kami mencoba lagi pada ${date(nextAttemptAt)}. Anda juga dapat membayar sendiri sekarang.`,
      ],
      action: "Bayar",
    }),
    en: ({ appName, amountMinor, currency, nextAttemptAt }, { date, money }) => ({
      subject: `Payment for ${appName} failed`,
      paragraphs: [
        `Your saved card could not be charged ${money(amountMinor, currency)} for ${appName}.`,
        nextAttemptAt === null
          ? "We do not try again. Pay yourself to keep the app running."
          : `We try again on ${date(nextAttemptAt)}. You can also pay yourself now.`,
      ],
      action: "Pay",
    }),
  },
  top_up_failed: {
    id: ({ amountMinor, currency, isOff }, { money }) => ({
      subject: "Isi ulang dompet gagal",
      paragraphs: [
        `Kartu yang Anda simpan tidak dapat didebit sebesar ${money(amountMinor, currency)} untuk mengisi dompet Anda.`,
        isOff ? "Isi ulang otomatis kini dimatikan." : "Kami mencoba lagi besok.",
      ],
      action: "Buka dompet",
    }),
    en: ({ amountMinor, currency, isOff }, { money }) => ({
      subject: "Your wallet could not be filled",
      paragraphs: [
        `Your saved card could not be charged ${money(amountMinor, currency)} to fill your wallet.`,
        isOff ? "The automatic top-up is off now." : "We try again tomorrow.",
      ],
      action: "Open the wallet",
    }),
  },
  payment_in_wallet: {
    id: ({ amountMinor, currency }, { money }) => ({
      subject: "Pembayaran Anda ada di dompet",
      paragraphs: [
        `Pembayaran Anda sebesar ${money(amountMinor, currency)} telah kami terima, tetapi tidak ada lagi tagihan untuknya. Uang itu kini ada di dompet Anda.`,
        "Anda dapat memakainya untuk tagihan berikutnya.",
      ],
      action: "Buka dompet",
    }),
    en: ({ amountMinor, currency }, { money }) => ({
      subject: "Your payment is in your wallet",
      paragraphs: [
        `We received your payment of ${money(amountMinor, currency)}, but there was nothing left that it could pay. It is in your wallet now.`,
        "You can use it for the next invoice.",
      ],
      action: "Open the wallet",
    }),
  },
};

/** Names that a stranger chose: mail programs make links of whatever looks like one, so here nothing does. */
function withoutLinks(name: string): string {
  return name.replaceAll(/[.:/\\@](?=\S)/g, "$& ");
}
