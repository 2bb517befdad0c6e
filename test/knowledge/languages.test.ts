import { expect, it } from "vitest";
import { found, pageWith, withPassages } from "../search/passages.ts";

/** Five pages of a harbour's site in each language, with a question that only the first one answers. */
const SITES = {
  English: [
    "When does the first ferry leave on Sundays?",
    [
      "On Sundays, the first ferry leaves at eight o'clock.",
      "A day ticket costs five euros.",
      "Dogs must be kept on a lead.",
      "The café on the upper deck sells soup.",
      "Bicycles are stored in the bow.",
    ],
  ],
  German: [
    "Wann fährt sonntags die erste Fähre?",
    [
      "An Sonntagen legt die erste Fähre um acht Uhr ab.",
      "Eine Tageskarte kostet fünf Euro.",
      "Hunde sind an der Leine zu führen.",
      "Das Café auf dem Oberdeck verkauft Suppe.",
      "Fahrräder werden im Bug abgestellt.",
    ],
  ],
  Turkish: [
    "Pazar günleri ilk vapur ne zaman kalkıyor?",
    [
      "Pazar günleri ilk vapur saat sekizde kalkar.",
      "Günlük bilet beş avrodur.",
      "Köpekler tasmalı olmalıdır.",
      "Üst güvertedeki kafede çorba satılır.",
      "Bisikletler pruvada saklanır.",
    ],
  ],
  Russian: [
    "Когда отходит первый паром по воскресеньям?",
    [
      "В воскресенье первый паром отходит в восемь часов.",
      "Дневной билет стоит пять евро.",
      "Собак следует держать на поводке.",
      "В кафе на верхней палубе продают суп.",
      "Велосипеды хранятся на носу.",
    ],
  ],
  Arabic: [
    "متى تغادر العبّارة الأولى يوم الأحد؟",
    [
      "تغادر أول عبارة يوم الأحد في الساعة الثامنة.",
      "تبلغ تكلفة التذكرة اليومية خمسة يورو.",
      "يجب أن تكون الكلاب مقيدة.",
      "يبيع المقهى في السطح العلوي الحساء.",
      "توضع الدراجات في المقدمة.",
    ],
  ],
  Hindi: [
    "रविवार को पहली नौका कब निकलती है?",
    [
      "रविवार को पहली नौका आठ बजे निकलती है।",
      "दिन का टिकट पाँच यूरो का है।",
      "कुत्तों को पट्टे से बाँधना होगा।",
      "ऊपरी डेक के कैफ़े में सूप मिलता है।",
      "साइकिलें आगे रखी जाती हैं।",
    ],
  ],
  Chinese: [
    "星期天第一班渡轮几点开？",
    [
      "星期天的第一班渡轮早上八点出发。",
      "一日票的价格是五欧元。",
      "狗必须拴绳。",
      "上层甲板的咖啡馆卖汤。",
      "自行车放在船头。",
    ],
  ],
  Thai: [
    "เรือข้ามฟากเที่ยวแรกวันอาทิตย์ออกกี่โมง",
    [
      "วันอาทิตย์ เรือข้ามฟากเที่ยวแรกออกเวลาแปดโมง",
      "ตั๋ววันราคาห้ายูโร",
      "ต้องใส่สายจูงสุนัข",
      "คาเฟ่บนดาดฟ้าชั้นบนขายซุป",
      "จักรยานเก็บไว้ที่หัวเรือ",
    ],
  ],
} as const;

it.each(Object.entries(SITES))("finds the page that answers a question in %s", (_, [question, pages]) =>
  withPassages((index) => {
    index.apply(
      pages.map((text, n) => pageWith(`page-${n}`, [text])),
      [],
      1,
    );

    expect(found(index, question)[0]?.text).toBe(pages[0]);
  }),
);

it("finds the page in the language of the question among pages in eight languages", () =>
  withPassages((index) => {
    const pages = Object.entries(SITES).flatMap(([language, [, texts]]) =>
      texts.map((text, n) => pageWith(`${language}-${n}`, [text])),
    );
    index.apply(pages, [], 1);

    const answered = Object.values(SITES).filter(([question, [answer]]) =>
      found(index, question)
        .slice(0, 5)
        .some(({ text }) => text === answer),
    );
    expect(answered).toHaveLength(8);
  }));
