/** Pages that are made to be hard to read, in about `size` characters. */
export const HOSTILE_PAGES: Readonly<Record<string, (size: number) => string>> = {
  "unclosed tags": (size) => repeated("<b><i>x", size),
  "unclosed table cells": (size) => repeated("<table><tr><td>x", size),
  "nested divs": (size) => `${repeated("<div>", size / 2)}text${repeated("</div>", size / 2)}`,
  "nested lists": (size) => repeated("<ul><li>x", size),
  "nested quotations": (size) => repeated("<blockquote>x<p>y", size),
  "closing tags that nothing opened": (size) =>
    `${repeated("<a><b>", size / 2)}${repeated("</q></p>", size / 2)}`,
  links: (size) => repeated('<a href="/p?x=1">link</a> ', size),
  "links of one parent": (size) => `<div>${repeated("<a href=/a><p>x</a>", size)}</div>`,
  "links without spaces": (size) => repeated("<a href=/a>x</a>", size),
  "spans without spaces": (size) => repeated("<span>x</span>", size),
  "one text": (size) => repeated("word ", size),
  "one word": (size) => repeated("x", size),
  "one attribute": (size) => `<p title="${repeated("x", size)}">text</p>`,
  "attributes of one element": (size) =>
    `<p ${Array.from({ length: size / 8 }, (_, at) => `a${at}=1`).join(" ")}>text`,
  "classes of one element": (size) => `<p class="${repeated("aA-b ", size)}">text</p>`,
  entities: (size) => repeated("&amp;&#x41;&notanentity;&", size),
  "entities in attributes": (size) => `<a href="${repeated("&amp;", size)}">text</a>`,
  comments: (size) => repeated("<!-- x --><!--", size),
  "a comment that nothing ends": (size) => `<!--${repeated("-", size)}`,
  plaintext: (size) => `<plaintext>${repeated("<p>x", size)}`,
  "an unclosed script": (size) => `<p>text<script>${repeated("if (a < b) </scrip ", size)}`,
  "an unclosed style": (size) => `<style>${repeated("a{}</sty", size)}`,
  "an unclosed title": (size) => `<title>${repeated("x </titl", size)}`,
  "an unclosed attribute": (size) => `<p title="${repeated("x>", size)}`,
  "zero bytes": (size) => repeated("\0x<p\0>", size),
  "a table of many rows": (size) => `<table>${repeated("<tr><td>a<td>b", size)}</table>`,
  "a table of one row": (size) => `<table><tr>${repeated("<td>a", size)}</table>`,
  "cells that span others": (size) =>
    `<table>${repeated("<tr><td colspan=1000 rowspan=1000>text", size)}</table>`,
  "code with many fences": (size) => `<pre>${repeated("``` ", size)}</pre>`,
  "line breaks": (size) => `<p>${repeated("<br> ", size)}`,
  "white space": (size) => `<p>a${repeated(" \n", size)}b`,
  "hidden elements": (size) => repeated('<p hidden id="a" aria-controls="b">x</p>', size),
  forms: (size) => repeated("<form><p>x", size),
  "foreign elements": (size) => repeated("<svg><foreignObject><math><mi>", size),
  headings: (size) => repeated("<h1><a href=#>#</a>x</h1>", size),
};

/** A page of the issue's size for each of its kinds. */
export const HOSTILE_SIZES: Readonly<Record<string, () => string>> = {
  "20,000 unclosed tags": () => "<b>x".repeat(20_000),
  "50,000 nested divs": () => `${"<div>".repeat(50_000)}text${"</div>".repeat(50_000)}`,
  "60,000 links": () => '<a href="/page">link</a> '.repeat(60_000),
  "a text of 2 MB": () => "word ".repeat(400_000),
  "an attribute of 2 MB": () => `<p title="${"x".repeat(2_000_000)}">text</p>`,
  "700,000 tags": () => "<b>".repeat(700_000),
};

const repeated = (unit: string, size: number): string => unit.repeat(Math.ceil(size / unit.length));
