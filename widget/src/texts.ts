/** The widget's own sentences. What the service says is shown as it is. */
export interface Texts {
  readonly open: string;
  readonly openUnread: string;
  readonly close: string;
  readonly chat: string;
  readonly greeting: string;
  readonly message: string;
  readonly send: string;
  readonly stop: string;
  readonly writing: string;
  readonly you: string;
  readonly stopped: string;
  readonly waiting: string;
  readonly notSent: string;
  readonly retry: string;
  readonly lost: string;
  readonly gone: string;
  readonly unreachable: string;
  readonly newChat: string;
  readonly earlier: string;
  readonly loading: string;
  readonly tooLong: string;
  readonly signIn: string;
  readonly signInFirst: string;
  readonly popupBlocked: string;
  readonly unavailable: string;
  readonly messages: string;
}

export type Language = "en" | "de" | "es" | "fr";

export const LANGUAGES: Readonly<Record<Language, Texts>> = {
  en: {
    open: "Open the chat",
    openUnread: "Open the chat: there is an answer",
    close: "Close the chat",
    chat: "Chat",
    greeting: "Hello! How can I help you today?",
    message: "Write a message",
    send: "Send",
    stop: "Stop the answer",
    writing: "Writing an answer…",
    you: "You",
    stopped: "Stopped.",
    waiting: "Waiting for a confirmation. Please look again later.",
    notSent: "Not sent.",
    retry: "Try again",
    lost: "The connection is lost. Trying again…",
    gone: "The connection was lost before the answer was complete.",
    unreachable: "The chat can’t be reached at the moment.",
    newChat: "Start a new chat",
    earlier: "Show earlier messages",
    loading: "Loading…",
    tooLong: "A message may have up to 10,000 characters; this one has",
    signIn: "Sign in with Google",
    signInFirst: "Please sign in to chat.",
    popupBlocked: "The browser has blocked the sign-in window. Allow it, and try again.",
    unavailable: "This chat is for people who are signed in, and signing in is not set up.",
    messages: "Messages",
  },
  de: {
    open: "Chat öffnen",
    openUnread: "Chat öffnen: Es gibt eine Antwort",
    close: "Chat schließen",
    chat: "Chat",
    greeting: "Hallo! Wie kann ich Ihnen helfen?",
    message: "Nachricht schreiben",
    send: "Senden",
    stop: "Antwort anhalten",
    writing: "Antwort wird geschrieben …",
    you: "Sie",
    stopped: "Angehalten.",
    waiting: "Wartet auf eine Bestätigung. Bitte schauen Sie später wieder.",
    notSent: "Nicht gesendet.",
    retry: "Noch einmal versuchen",
    lost: "Die Verbindung ist unterbrochen. Neuer Versuch …",
    gone: "Die Verbindung brach ab, bevor die Antwort vollständig war.",
    unreachable: "Der Chat ist zurzeit nicht erreichbar.",
    newChat: "Neuen Chat beginnen",
    earlier: "Frühere Nachrichten zeigen",
    loading: "Wird geladen …",
    tooLong: "Eine Nachricht darf bis zu 10.000 Zeichen haben; diese hat",
    signIn: "Mit Google anmelden",
    signInFirst: "Bitte melden Sie sich an, um zu chatten.",
    popupBlocked:
      "Der Browser hat das Anmeldefenster blockiert. Erlauben Sie es, und versuchen Sie es noch einmal.",
    unavailable: "Dieser Chat ist für angemeldete Personen, und die Anmeldung ist nicht eingerichtet.",
    messages: "Nachrichten",
  },
  es: {
    open: "Abrir el chat",
    openUnread: "Abrir el chat: hay una respuesta",
    close: "Cerrar el chat",
    chat: "Chat",
    greeting: "¡Hola! ¿En qué puedo ayudarle?",
    message: "Escriba un mensaje",
    send: "Enviar",
    stop: "Detener la respuesta",
    writing: "Escribiendo una respuesta…",
    you: "Usted",
    stopped: "Detenida.",
    waiting: "Esperando una confirmación. Vuelva más tarde.",
    notSent: "No enviado.",
    retry: "Intentar de nuevo",
    lost: "Se ha perdido la conexión. Intentando de nuevo…",
    gone: "La conexión se perdió antes de que la respuesta estuviera completa.",
    unreachable: "No se puede acceder al chat en este momento.",
    newChat: "Empezar un chat nuevo",
    earlier: "Mostrar mensajes anteriores",
    loading: "Cargando…",
    tooLong: "Un mensaje puede tener hasta 10 000 caracteres; este tiene",
    signIn: "Iniciar sesión con Google",
    signInFirst: "Inicie sesión para chatear.",
    popupBlocked: "El navegador ha bloqueado la ventana de inicio de sesión. Permítala e inténtelo de nuevo.",
    unavailable:
      "Este chat es para personas que han iniciado sesión, y el inicio de sesión no está configurado.",
    messages: "Mensajes",
  },
  fr: {
    open: "Ouvrir le chat",
    openUnread: "Ouvrir le chat : il y a une réponse",
    close: "Fermer le chat",
    chat: "Chat",
    greeting: "Bonjour ! Comment puis-je vous aider ?",
    message: "Écrivez un message",
    send: "Envoyer",
    stop: "Arrêter la réponse",
    writing: "Réponse en cours…",
    you: "Vous",
    stopped: "Arrêtée.",
    waiting: "En attente d’une confirmation. Revenez plus tard.",
    notSent: "Non envoyé.",
    retry: "Réessayer",
    lost: "La connexion est interrompue. Nouvel essai…",
    gone: "La connexion a été perdue avant la fin de la réponse.",
    unreachable: "Le chat est injoignable pour le moment.",
    newChat: "Commencer un nouveau chat",
    earlier: "Afficher les messages précédents",
    loading: "Chargement…",
    tooLong: "Un message peut avoir jusqu’à 10 000 caractères ; celui-ci en a",
    signIn: "Se connecter avec Google",
    signInFirst: "Connectez-vous pour discuter.",
    popupBlocked: "Le navigateur a bloqué la fenêtre de connexion. Autorisez-la, puis réessayez.",
    unavailable: "Ce chat est réservé aux personnes connectées, et la connexion n’est pas configurée.",
    messages: "Messages",
  },
};
