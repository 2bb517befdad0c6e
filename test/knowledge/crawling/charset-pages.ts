/** A page in each of eight charsets: what it says, and its bytes in base64. Its `<meta>` names the charset. */
export const CHARSET_PAGES = [
  {
    charset: "windows-1251",
    sentence: "Привет, это страница о муравьях.",
    base64:
      "PCFkb2N0eXBlIGh0bWw+PGh0bWw+PGhlYWQ+PG1ldGEgY2hhcnNldD0id2luZG93cy0xMjUxIj48dGl0bGU+d2luZG93cy0xMjUxPC90aXRsZT48L2hlYWQ+PGJvZHk+PG1haW4+PGgxPndpbmRvd3MtMTI1MTwvaDE+PHA+z/Do4uXyLCD98u4g8fLw4O3o9uAg7iDs8/Dg4vz/9S4gz/Do4uXyLCD98u4g8fLw4O3o9uAg7iDs8/Dg4vz/9S4gz/Do4uXyLCD98u4g8fLw4O3o9uAg7iDs8/Dg4vz/9S48L3A+PC9tYWluPjwvYm9keT48L2h0bWw+",
  },
  {
    charset: "shift_jis",
    sentence: "これはアリについてのページです。",
    base64:
      "PCFkb2N0eXBlIGh0bWw+PGh0bWw+PGhlYWQ+PG1ldGEgY2hhcnNldD0ic2hpZnRfamlzIj48dGl0bGU+c2hpZnRfamlzPC90aXRsZT48L2hlYWQ+PGJvZHk+PG1haW4+PGgxPnNoaWZ0X2ppczwvaDE+PHA+grGC6oLNg0GDioLJgsKCooLEgsyDeYFbg1eCxYK3gUIggrGC6oLNg0GDioLJgsKCooLEgsyDeYFbg1eCxYK3gUIggrGC6oLNg0GDioLJgsKCooLEgsyDeYFbg1eCxYK3gUI8L3A+PC9tYWluPjwvYm9keT48L2h0bWw+",
  },
  {
    charset: "euc-kr",
    sentence: "개미에 관한 페이지입니다.",
    base64:
      "PCFkb2N0eXBlIGh0bWw+PGh0bWw+PGhlYWQ+PG1ldGEgY2hhcnNldD0iZXVjLWtyIj48dGl0bGU+ZXVjLWtyPC90aXRsZT48L2hlYWQ+PGJvZHk+PG1haW4+PGgxPmV1Yy1rcjwvaDE+PHA+sLO5zL+hILD8x9EgxuTAzMH2wNS0z7TZLiCws7nMv6EgsPzH0SDG5MDMwfbA1LTPtNkuILCzucy/oSCw/MfRIMbkwMzB9sDUtM+02S48L3A+PC9tYWluPjwvYm9keT48L2h0bWw+",
  },
  {
    charset: "gb18030",
    sentence: "这是关于蚂蚁的页面。",
    base64:
      "PCFkb2N0eXBlIGh0bWw+PGh0bWw+PGhlYWQ+PG1ldGEgY2hhcnNldD0iZ2IxODAzMCI+PHRpdGxlPmdiMTgwMzA8L3RpdGxlPjwvaGVhZD48Ym9keT48bWFpbj48aDE+Z2IxODAzMDwvaDE+PHA+1eLKx7nY09rC7NLPtcTSs8PmoaMg1eLKx7nY09rC7NLPtcTSs8PmoaMg1eLKx7nY09rC7NLPtcTSs8PmoaM8L3A+PC9tYWluPjwvYm9keT48L2h0bWw+",
  },
  {
    charset: "big5",
    sentence: "這是關於螞蟻的頁面。",
    base64:
      "PCFkb2N0eXBlIGh0bWw+PGh0bWw+PGhlYWQ+PG1ldGEgY2hhcnNldD0iYmlnNSI+PHRpdGxlPmJpZzU8L3RpdGxlPjwvaGVhZD48Ym9keT48bWFpbj48aDE+YmlnNTwvaDE+PHA+s2+sT8P2qfO/wsPGqrqttq2xoUMgs2+sT8P2qfO/wsPGqrqttq2xoUMgs2+sT8P2qfO/wsPGqrqttq2xoUM8L3A+PC9tYWluPjwvYm9keT48L2h0bWw+",
  },
  {
    charset: "iso-8859-2",
    sentence: "To jest strona o mrówkach, żółwiach i łosiach.",
    base64:
      "PCFkb2N0eXBlIGh0bWw+PGh0bWw+PGhlYWQ+PG1ldGEgY2hhcnNldD0iaXNvLTg4NTktMiI+PHRpdGxlPmlzby04ODU5LTI8L3RpdGxlPjwvaGVhZD48Ym9keT48bWFpbj48aDE+aXNvLTg4NTktMjwvaDE+PHA+VG8gamVzdCBzdHJvbmEgbyBtcvN3a2FjaCwgv/Ozd2lhY2ggaSCzb3NpYWNoLiBUbyBqZXN0IHN0cm9uYSBvIG1y83drYWNoLCC/87N3aWFjaCBpILNvc2lhY2guIFRvIGplc3Qgc3Ryb25hIG8gbXLzd2thY2gsIL/zs3dpYWNoIGkgs29zaWFjaC48L3A+PC9tYWluPjwvYm9keT48L2h0bWw+",
  },
  {
    charset: "windows-1252",
    sentence: "C’est une page sur les fourmis, “très” petites.",
    base64:
      "PCFkb2N0eXBlIGh0bWw+PGh0bWw+PGhlYWQ+PG1ldGEgY2hhcnNldD0id2luZG93cy0xMjUyIj48dGl0bGU+d2luZG93cy0xMjUyPC90aXRsZT48L2hlYWQ+PGJvZHk+PG1haW4+PGgxPndpbmRvd3MtMTI1MjwvaDE+PHA+Q5Jlc3QgdW5lIHBhZ2Ugc3VyIGxlcyBmb3VybWlzLCCTdHLoc5QgcGV0aXRlcy4gQ5Jlc3QgdW5lIHBhZ2Ugc3VyIGxlcyBmb3VybWlzLCCTdHLoc5QgcGV0aXRlcy4gQ5Jlc3QgdW5lIHBhZ2Ugc3VyIGxlcyBmb3VybWlzLCCTdHLoc5QgcGV0aXRlcy48L3A+PC9tYWluPjwvYm9keT48L2h0bWw+",
  },
  {
    charset: "utf-16le",
    sentence: "Ant page — in UTF-16.",
    base64:
      "//48ACEAZABvAGMAdAB5AHAAZQAgAGgAdABtAGwAPgA8AGgAdABtAGwAPgA8AGgAZQBhAGQAPgA8AG0AZQB0AGEAIABjAGgAYQByAHMAZQB0AD0AIgB1AHQAZgAtADEANgBsAGUAIgA+ADwAdABpAHQAbABlAD4AdQB0AGYALQAxADYAbABlADwALwB0AGkAdABsAGUAPgA8AC8AaABlAGEAZAA+ADwAYgBvAGQAeQA+ADwAbQBhAGkAbgA+ADwAaAAxAD4AdQB0AGYALQAxADYAbABlADwALwBoADEAPgA8AHAAPgBBAG4AdAAgAHAAYQBnAGUAIAAUICAAaQBuACAAVQBUAEYALQAxADYALgAgAEEAbgB0ACAAcABhAGcAZQAgABQgIABpAG4AIABVAFQARgAtADEANgAuACAAQQBuAHQAIABwAGEAZwBlACAAFCAgAGkAbgAgAFUAVABGAC0AMQA2AC4APAAvAHAAPgA8AC8AbQBhAGkAbgA+ADwALwBiAG8AZAB5AD4APAAvAGgAdABtAGwAPgA=",
  },
] as const;
