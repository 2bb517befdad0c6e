/** Texts of many scripts and kinds. Each has a few sentences, as people write them to an agent. */
export const SAMPLES = {
  english:
    "Please remind me that the plumber is coming on Tuesday morning. He needs to look at the kitchen sink, which has been leaking since the weekend, and he said that he would bring the missing valve. If I am not at home, the neighbour on the second floor has a spare key.",
  german:
    "Bitte erinnere mich daran, dass am Dienstagmorgen der Handwerker kommt. Er soll sich die Spüle in der Küche ansehen, die seit dem Wochenende tropft. Falls ich nicht zu Hause bin, hat die Nachbarin im zweiten Stock einen Ersatzschlüssel.",
  french:
    "Rappelle-moi que le plombier passera mardi matin. Il doit regarder l'évier de la cuisine, qui fuit depuis le week-end, et il apportera la pièce manquante. Si je ne suis pas à la maison, la voisine du deuxième étage a une clé de réserve.",
  polish:
    "Przypomnij mi proszę, że we wtorek rano przychodzi hydraulik. Ma obejrzeć zlew w kuchni, który cieknie od weekendu, i przyniesie brakującą część. Jeśli nie będzie mnie w domu, sąsiadka z drugiego piętra ma zapasowy klucz.",
  vietnamese:
    "Hãy nhắc tôi rằng thợ sửa ống nước sẽ đến vào sáng thứ ba. Anh ấy cần xem bồn rửa trong bếp, nó bị rò rỉ từ cuối tuần. Nếu tôi không có ở nhà thì cô hàng xóm ở tầng hai có chìa khóa dự phòng.",
  russian:
    "Напомни мне, пожалуйста, что во вторник утром придёт сантехник. Он должен посмотреть раковину на кухне, которая течёт с выходных. Если меня не будет дома, запасной ключ есть у соседки со второго этажа.",
  ukrainian:
    "Нагадай мені, будь ласка, що у вівторок уранці прийде сантехнік. Він має оглянути мийку на кухні, яка протікає ще з вихідних. Якщо мене не буде вдома, запасний ключ є в сусідки з другого поверху.",
  greek:
    "Θύμισέ μου ότι ο υδραυλικός έρχεται την Τρίτη το πρωί. Πρέπει να δει τον νεροχύτη της κουζίνας, που στάζει από το Σαββατοκύριακο. Αν δεν είμαι στο σπίτι, η γειτόνισσα στον δεύτερο όροφο έχει ένα δεύτερο κλειδί.",
  hebrew:
    "תזכיר לי שהשרברב מגיע ביום שלישי בבוקר. הוא צריך לבדוק את הכיור במטבח, שדולף מאז סוף השבוע. אם אני לא בבית, לשכנה בקומה השנייה יש מפתח נוסף.",
  arabic:
    "ذكرني من فضلك أن السباك سيأتي صباح يوم الثلاثاء. عليه أن يفحص حوض المطبخ الذي يتسرب منه الماء منذ نهاية الأسبوع. إذا لم أكن في البيت فإن الجارة في الطابق الثاني لديها مفتاح احتياطي.",
  persian:
    "لطفاً به من یادآوری کن که لوله‌کش سه‌شنبه صبح می‌آید. باید سینک آشپزخانه را ببیند که از آخر هفته چکه می‌کند. اگر خانه نباشم، همسایهٔ طبقهٔ دوم کلید یدکی دارد.",
  hindi:
    "कृपया मुझे याद दिलाना कि मंगलवार की सुबह प्लंबर आ रहा है। उसे रसोई का सिंक देखना है, जो सप्ताहांत से टपक रहा है। अगर मैं घर पर न रहूँ, तो दूसरी मंज़िल की पड़ोसन के पास एक और चाबी है।",
  bengali:
    "আমাকে মনে করিয়ে দিও যে মঙ্গলবার সকালে মিস্ত্রি আসবে। রান্নাঘরের সিঙ্ক দেখতে হবে, সপ্তাহের শেষ থেকে জল পড়ছে। আমি বাড়িতে না থাকলে দোতলার প্রতিবেশীর কাছে আরেকটা চাবি আছে।",
  tamil:
    "செவ்வாய்க்கிழமை காலையில் குழாய் சரிசெய்பவர் வருகிறார் என்று எனக்கு நினைவூட்டு. சமையலறைத் தொட்டியில் வார இறுதியிலிருந்து நீர் கசிகிறது. நான் வீட்டில் இல்லாவிட்டால், இரண்டாம் மாடியில் உள்ளவரிடம் சாவி இருக்கிறது.",
  thai: "ช่วยเตือนฉันด้วยว่าช่างประปาจะมาเช้าวันอังคาร เขาต้องดูอ่างล้างจานในครัวที่รั่วมาตั้งแต่สุดสัปดาห์ ถ้าฉันไม่อยู่บ้าน เพื่อนบ้านชั้นสองมีกุญแจสำรอง",
  khmer:
    "សូមរំលឹកខ្ញុំថាជាងទឹកនឹងមកព្រឹកថ្ងៃអង្គារ។ គាត់ត្រូវពិនិត្យអាងលាងចានក្នុងផ្ទះបាយដែលលេចធ្លាយតាំងពីចុងសប្តាហ៍។ ប្រសិនបើខ្ញុំមិននៅផ្ទះ អ្នកជិតខាងនៅជាន់ទីពីរមានកូនសោបម្រុង។",
  burmese:
    "ရေပိုက်ပြင်ဆရာသည် အင်္ဂါနေ့မနက်တွင် လာမည်ကို သတိပေးပါ။ မီးဖိုချောင်ထဲက ရေစင်ကို ကြည့်ရမည်။ ကျွန်တော် အိမ်မှာမရှိရင် ဒုတိယထပ်က အိမ်နီးချင်းဆီမှာ သော့အပိုရှိတယ်။",
  korean:
    "화요일 아침에 배관공이 온다고 알려 줘. 주말부터 물이 새는 부엌 싱크대를 봐야 하고, 빠진 밸브도 가져온다고 했어. 내가 집에 없으면 이층에 사는 이웃이 여분의 열쇠를 가지고 있어.",
  japanese:
    "火曜日の朝に水道屋さんが来ることを思い出させてください。週末から水漏れしている台所の流しを見てもらう予定で、足りない部品も持ってきてくれます。私が家にいなければ、二階の隣人が合鍵を持っています。",
  chinese:
    "请提醒我，水管工星期二早上会来。他要看一下厨房的水槽，从周末开始就一直漏水，他说会带上缺少的阀门。如果我不在家，住在二楼的邻居有一把备用钥匙。",
  traditional:
    "請提醒我，水電師傅星期二早上會來。他要看廚房的水槽，從週末開始就一直漏水，他說會帶缺少的零件。如果我不在家，住在二樓的鄰居有一把備用鑰匙。",
  typescript: `export async function readAll(table: TableClient, key: Key): Promise<readonly Item[]> {
  const items: Item[] = [];
  for (let next: Cursor | undefined; ; ) {
    const page = await table.queryPage(key, { limit: 100, ...(next && { from: next }) });
    items.push(...page.items.filter((item) => item.deletedAt === null));
    if (!page.next) return items;
    next = page.next;
  }
}
`,
  python: `def moving_average(values, size=3):
    """Return the averages of all windows of \`size\` neighbours."""
    if size < 1:
        raise ValueError(f"size must be positive, not {size}")
    return [sum(values[i : i + size]) / size for i in range(len(values) - size + 1)]
`,
  json: '{"order":{"id":48213,"customer":"M. Okafor","paid":true,"total":129.95,"items":[{"sku":"KT-204","name":"Kettle","quantity":1},{"sku":"CP-017","name":"Cup, blue","quantity":6}],"note":null,"placed_at":"2026-03-14T09:26:53Z"}}',
  log: `2026-03-14 09:26:53.589 WARN  [worker-7] retrying request id=48213 after 503 (attempt 2 of 5, waited 1250 ms)
2026-03-14 09:26:55.117 INFO  [worker-7] request id=48213 answered 200 in 1528 ms
2026-03-14 09:27:01.004 ERROR [worker-2] connection reset by peer 10.14.3.201:5432
`,
  base64:
    "iVBORw0KGgoAAAANSUhEUgAAADIAAAAyCAYAAAAeP4ixAAABRklEQVR42u2ZMQ6DMAxFOQJH4AgcgSNwBI7AETgCR+AIHIEjcAS2snVsVVWhJLHjOKnUL2UiwX74x3YgSf6f0ifP8y7LsoGLsQ3Xcl3Xe1EUB2y4luu63nPOD9hwrZTqAMJYWZYHbLiW67reAYQB3A==",
  hex: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
  emoji: "That was great 🎉🎉 See you on Friday 😀👍 Bring the cake 🎂 and the dog 🐶❤️, ok? 🙏🏽",
  /** Emoji of several characters: families, skin tones, flags. */
  emojiSequences: "👨‍👩‍👧‍👦 🏳️‍🌈👩🏽‍💻🇩🇪🫠🥹❤️‍🔥👍🏿 😀😂🎉🚀🐈‍⬛🧑‍🤝‍🧑 🇰🇭🇯🇵",
  markdown: `## Shopping list

| item   | how many | where      |
| ------ | -------- | ---------- |
| bread  | 2        | bakery     |
| apples | 12       | market     |

- [x] **milk** (done)
- [ ] call the *butcher*
`,
  numbers: "3.14159265 2718281828 1,500,000 42 7 1024 65536 +49 30 1234567 99.95 2026-11-29",
} as const;
