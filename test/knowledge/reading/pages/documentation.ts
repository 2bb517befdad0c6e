import type { PageFixture } from "./fixture.ts";

const docusaurus = `<!doctype html><html lang="en" dir="ltr" class="docs-wrapper plugin-docs docs-version-current" data-has-hydrated="false">
<head><meta charset="UTF-8"><title>Retries | Courier SDK</title><link rel="canonical" href="https://courier.example/docs/retries">
<meta property="og:title" content="Retries | Courier SDK"><meta name="description" content="How the SDK repeats failed requests.">
<script defer src="/assets/js/runtime~main.js"></script><style>.navbar{height:60px}</style></head>
<body class="navigation-with-keyboard"><svg xmlns="http://www.w3.org/2000/svg" style="display:none"><defs><symbol id="x"><path d="M11"/></symbol></defs></svg>
<script>!function(){document.documentElement.setAttribute("data-theme","light")}()</script>
<div id="__docusaurus"><div role="region" aria-label="Skip to main content"><a class="skipToContent_fXgn" href="#__docusaurus_skipToContent_fallback">Skip to main content</a></div>
<nav aria-label="Main" class="navbar navbar--fixed-top"><div class="navbar__inner"><div class="navbar__items"><a class="navbar__brand" href="/"><b class="navbar__title">Courier SDK</b></a>
<a class="navbar__item navbar__link" href="/docs">Docs</a><a class="navbar__item" href="/blog">Blog</a></div><div class="navbar__items navbar__items--right"><a href="https://github.example/c">GitHub</a></div></div></nav>
<div id="__docusaurus_skipToContent_fallback" class="main-wrapper mainWrapper_z2l0"><div class="docsWrapper_hBAB"><div class="docRoot_UBD9">
<aside class="theme-doc-sidebar-container docSidebarContainer_YfHR"><nav aria-label="Docs sidebar" class="menu thin-scrollbar"><ul class="theme-doc-sidebar-menu menu__list">
<li class="menu__list-item"><a class="menu__link" href="/docs/install">Installation</a></li><li class="menu__list-item"><a class="menu__link menu__link--active" href="/docs/retries">Retries</a></li><li><a class="menu__link" href="/docs/webhooks">Webhooks</a></li></ul></nav></aside>
<main class="docMainContainer_TBSr"><div class="container padding-top--md"><div class="row"><div class="col docItemCol_VOVn"><div class="docItemContainer_Djhp"><article>
<nav class="theme-doc-breadcrumbs breadcrumbsContainer_Z_bl" aria-label="Breadcrumbs"><ul class="breadcrumbs"><li class="breadcrumbs__item"><a href="/">Home</a></li><li class="breadcrumbs__item"><span>Guides</span></li></ul></nav>
<div class="tocCollapsible_ETCw theme-doc-toc-mobile"><button type="button" class="clean-btn">On this page</button></div>
<div class="theme-doc-markdown markdown"><!--content--><header><h1>Retries</h1></header>
<p>Requests that fail because of the network or an overloaded server are repeated automatically. The SDK waits longer after each attempt and adds a random share, so that clients do not return at the same moment.</p>
<h2 class="anchor anchorWithStickyNavbar_LWe7" id="defaults">Defaults<a href="#defaults" class="hash-link" aria-label="Direct link to Defaults" title="Direct link to Defaults">&#8203;</a></h2>
<p>Three attempts are made with a first pause of 200 milliseconds. You change both in the constructor:</p>
<div class="language-ts codeBlockContainer_Ckt0 theme-code-block"><div class="codeBlockTitle_Ktv7">client.ts</div><div class="codeBlockContent_biex"><pre tabindex="0" class="prism-code language-ts codeBlock_bY9V thin-scrollbar"><code class="codeBlockLines_e6Vv"><span class="token-line" style="color:#393A34"><span class="token keyword">const</span><span class="token plain"> client </span><span class="token operator">=</span><span class="token plain"> </span><span class="token keyword">new</span><span class="token plain"> </span><span class="token class-name">Courier</span><span class="token punctuation">(</span><span class="token plain">{ attempts: 5 });</span><br></span></code></pre><!--/content--><div class="buttonGroup__atx"><button type="button" aria-label="Copy code to clipboard" title="Copy" class="clean-btn"><span class="copyButtonIcons_eSgA">Copy</span></button></div><!--content--></div></div>
<div class="theme-admonition theme-admonition-warning admonition_xJq3 alert alert--warning"><div class="admonitionHeading_Gvgb">warning</div><div class="admonitionContent_BuS1"><p>A request that is not idempotent is only repeated if it carries an idempotency key.</p></div></div>
<h2 class="anchor" id="which">Which failures are repeated<a href="#which" class="hash-link" aria-label="Direct link">&#8203;</a></h2>
<table><thead><tr><th>Status</th><th>Repeated</th></tr></thead><tbody><tr><td>429</td><td>yes, after the pause the server asks for</td></tr><tr><td>500</td><td>yes</td></tr><tr><td>501</td><td>no</td></tr></tbody></table>
<p>Timeouts count as failures. See <a href="/docs/timeouts">Timeouts</a> for their lengths.</p><!--/content--></div>
<footer class="theme-doc-footer docusaurus-mt-lg"><div class="row margin-top--sm"><div class="col"><a href="https://github.example/edit/retries.md" class="theme-edit-this-page">Edit this page</a></div></div></footer></article>
<nav class="docusaurus-mt-lg pagination-nav" aria-label="Docs pages"><a class="pagination-nav__link" href="/docs/install"><div class="pagination-nav__sublabel">Previous</div><div class="pagination-nav__label">Installation</div></a><a class="pagination-nav__link" href="/docs/webhooks"><div>Next</div><div>Webhooks</div></a></nav></div></div>
<div class="col col--3"><div class="tableOfContents_bqdL thin-scrollbar theme-doc-toc-desktop"><ul class="table-of-contents"><li><a href="#defaults" class="table-of-contents__link">Defaults</a></li><li><a href="#which">Which failures are repeated</a></li></ul></div></div></div></div></main></div></div></div>
<footer class="theme-layout-footer footer footer--dark"><div class="footer__links"><div class="footer__title">Community</div><ul><li><a href="/discord">Discord</a></li></ul></div><div class="footer__copyright">Copyright © 2025 Courier Inc. Built with Docusaurus.</div></footer></div></body></html>`;

const sphinx = `<!DOCTYPE html><html class="writer-html5" lang="en"><head><meta charset="utf-8"/><meta name="viewport" content="width=device-width"/><title>Queues &mdash; tern 2.1 documentation</title>
<link rel="stylesheet" href="_static/css/theme.css"/><script src="_static/jquery.js"></script></head>
<body class="wy-body-for-nav"><div class="wy-grid-for-nav"><nav data-toggle="wy-nav-shift" class="wy-nav-side"><div class="wy-side-scroll"><div class="wy-side-nav-search"><a href="index.html" class="icon icon-home"> tern</a>
<div role="search"><form id="rtd-search-form" class="wy-form" action="search.html"><input type="text" name="q" placeholder="Search docs"/></form></div></div>
<div class="wy-menu wy-menu-vertical"><p class="caption"><span class="caption-text">Contents:</span></p><ul class="current"><li class="toctree-l1"><a class="reference internal" href="install.html">Installing tern</a></li><li class="toctree-l1 current"><a class="current reference internal" href="#">Queues</a></li></ul></div></div></nav>
<section data-toggle="wy-nav-shift" class="wy-nav-content-wrap"><nav class="wy-nav-top"><i data-toggle="wy-nav-top" class="fa fa-bars"></i><a href="index.html">tern</a></nav>
<div class="wy-nav-content"><div class="rst-content"><div role="navigation" aria-label="Page navigation"><ul class="wy-breadcrumbs"><li><a href="index.html" class="icon icon-home"></a></li><li class="breadcrumb-item active">Queues</li><li class="wy-breadcrumbs-aside"><a href="_sources/queues.rst.txt" rel="nofollow"> View page source</a></li></ul><hr/></div>
<div role="main" class="document" itemscope="itemscope"><div itemprop="articleBody"><!--content--><section id="queues"><h1>Queues<a class="headerlink" href="#queues" title="Permalink to this heading">&para;</a></h1>
<p>A queue keeps jobs until a worker takes them. Jobs of one queue are taken in the order in which they were added, unless they have a <a class="reference internal" href="#priority"><span class="std std-ref">priority</span></a>.</p>
<dl class="py class"><dt class="sig sig-object py" id="tern.Queue"><em class="property"><span class="pre">class</span><span class="w"> </span></em><span class="sig-prename descclassname"><span class="pre">tern.</span></span><span class="sig-name descname"><span class="pre">Queue</span></span><span class="sig-paren">(</span><em class="sig-param"><span class="n"><span class="pre">name</span></span></em>, <em class="sig-param"><span class="n"><span class="pre">limit</span></span><span class="o"><span class="pre">=</span></span><span class="default_value"><span class="pre">100</span></span></em><span class="sig-paren">)</span><a class="headerlink" href="#tern.Queue" title="Permalink to this definition">&para;</a></dt>
<dd><p>A queue that refuses further jobs when it holds <em>limit</em> of them.</p><dl class="field-list simple"><dt class="field-odd">Parameters</dt><dd class="field-odd"><ul class="simple"><li><p><strong>name</strong> – what workers ask for</p></li><li><p><strong>limit</strong> – the number of jobs, at most 10,000</p></li></ul></dd></dl></dd></dl>
<section id="priority"><span id="prio"></span><h2>Priority<a class="headerlink" href="#priority" title="Permalink">&para;</a></h2><p>Give a job a priority when you add it:</p>
<div class="highlight-python notranslate"><div class="highlight"><pre><span></span><span class="n">queue</span><span class="o">.</span><span class="n">add</span><span class="p">(</span><span class="n">job</span><span class="p">,</span> <span class="n">priority</span><span class="o">=</span><span class="mi">5</span><span class="p">)</span>
</pre></div></div>
<div class="admonition note"><p class="admonition-title">Note</p><p>Priorities are compared within one queue only.</p></div>
<div class="versionadded"><p><span class="versionmodified added">New in version 2.0.</span></p></div></section></section><!--/content--></div></div>
<footer><div class="rst-footer-buttons" role="navigation" aria-label="Footer"><a href="install.html" class="btn btn-neutral float-left" accesskey="p" rel="prev">Previous</a><a href="workers.html" class="btn btn-neutral float-right" rel="next">Next</a></div><hr/><div role="contentinfo"><p>&copy; Copyright 2024, tern authors.</p></div>
Built with <a href="https://www.sphinx-doc.org/">Sphinx</a> using a theme provided by Read the Docs.</footer></div></div></section></div></body></html>`;

const classicSphinx = `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>heron — read columnar files — Heron 0.9 documentation</title></head><body>
<div class="related" role="navigation" aria-label="related navigation"><h3>Navigation</h3><ul><li class="right"><a href="genindex.html" title="General Index">index</a></li><li class="right"><a href="next.html">next</a> |</li><li class="nav-item nav-item-0"><a href="index.html">Heron 0.9 documentation</a> &#187;</li></ul></div>
<div class="document"><div class="documentwrapper"><div class="bodywrapper"><div class="body" role="main"><!--content-->
<section id="heron"><h1><code class="docutils literal notranslate"><span class="pre">heron</span></code> — read columnar files<a class="headerlink" href="#heron">¶</a></h1>
<p><strong>Source code:</strong> <a class="reference external" href="https://git.example/heron.py">Lib/heron.py</a></p><hr class="docutils"/>
<p>This module reads files that store a table column by column. It loads only the columns that are asked for, which is why a query over few columns of a wide table is fast.</p>
<dl class="py function"><dt class="sig" id="heron.open"><span class="sig-name">heron.open</span>(<em>path</em>, <em>columns=None</em>)<a class="headerlink" href="#heron.open">¶</a></dt><dd><p>Return a reader for the file at <em>path</em>. With <em>columns</em>, only these are loaded. Raises <code>HeronError</code> if the file has another format.</p></dd>
<dt class="sig" id="heron.Reader.close"><span class="sig-name">Reader.close</span>()<a class="headerlink" href="#heron.Reader.close">¶</a></dt><dd><p>Close the file. Reading afterwards raises <code>ValueError</code>.</p></dd></dl>
<section id="examples"><h2>Examples<a class="headerlink" href="#examples">¶</a></h2><p>Print the sum of a column:</p><div class="highlight-python3"><div class="highlight"><pre>reader = heron.open("sales.hrn", columns=["price"])
print(sum(reader["price"]))</pre></div></div></section></section><!--/content-->
<div class="clearer"></div></div></div></div>
<div class="sphinxsidebar" role="navigation" aria-label="main navigation"><div class="sphinxsidebarwrapper"><h3><a href="index.html">Table of Contents</a></h3><ul><li><a href="#">heron — read columnar files</a><ul><li><a href="#examples">Examples</a></li></ul></li></ul><h4>Previous topic</h4><p class="topless"><a href="egret.html">egret — write rows</a></p><div role="note"><h3>This Page</h3><ul class="this-page-menu"><li><a href="bugs.html">Report a Bug</a></li></ul></div></div></div></div>
<div class="footer" role="contentinfo">© Copyright 2023. Last updated on Mar 04, 2024. <a href="bugs.html">Found a bug</a>? Created using <a href="https://www.sphinx-doc.org/">Sphinx</a> 7.</div></body></html>`;

const mkdocs = `<!doctype html><html lang="en" class="no-js"><head><meta charset="utf-8"><meta name="generator" content="mkdocs-1.5, mkdocs-material-9.4"><title>Backups - Larder</title></head>
<body dir="ltr" data-md-color-scheme="default"><input class="md-toggle" data-md-toggle="drawer" type="checkbox" id="__drawer"><label class="md-overlay" for="__drawer"></label>
<div data-md-component="skip"><a href="#backups" class="md-skip">Skip to content</a></div>
<header class="md-header" data-md-component="header"><nav class="md-header__inner md-grid" aria-label="Header"><a href=".." title="Larder" class="md-header__button md-logo">Larder</a><div class="md-header__title"><span class="md-ellipsis">Larder</span><span class="md-ellipsis">Backups</span></div>
<div class="md-search" role="dialog"><div class="md-search__inner" role="search"><form class="md-search__form" name="search"><input type="text" class="md-search__input" placeholder="Search"></form><div class="md-search-result__meta">Initializing search</div></div></div><div class="md-header__source"><a href="https://git.example/larder" class="md-source"><div class="md-source__repository">larder/larder</div></a></div></nav></header>
<div class="md-container"><main class="md-main"><div class="md-main__inner md-grid">
<div class="md-sidebar md-sidebar--primary" data-md-type="navigation"><div class="md-sidebar__scrollwrap"><nav class="md-nav md-nav--primary" aria-label="Navigation"><ul class="md-nav__list"><li class="md-nav__item"><a href=".." class="md-nav__link">Overview</a></li><li class="md-nav__item md-nav__item--active"><a href="./" class="md-nav__link">Backups</a></li></ul></nav></div></div>
<div class="md-sidebar md-sidebar--secondary" data-md-type="toc"><nav class="md-nav md-nav--secondary" aria-label="Table of contents"><label class="md-nav__title">Table of contents</label><ul class="md-nav__list"><li><a href="#schedule" class="md-nav__link">Schedule</a></li><li><a href="#restore" class="md-nav__link">Restore</a></li></ul></nav></div>
<div class="md-content" data-md-component="content"><article class="md-content__inner md-typeset"><a href="https://git.example/edit/backups.md" title="Edit this page" class="md-content__button md-icon">edit</a>
<!--content--><h1 id="backups">Backups<a class="headerlink" href="#backups" title="Permanent link">&para;</a></h1>
<p>Larder copies its database while it runs. Writers are not stopped, and a copy is complete or absent, never half written.</p>
<h2 id="schedule">Schedule<a class="headerlink" href="#schedule" title="Permanent link">&para;</a></h2><p>State when copies are made, and how many are kept:</p>
<div class="highlight"><span class="filename">larder.yml</span><table class="highlighttable"><tr><td class="linenos"><div class="linenodiv"><!--/content--><pre><span></span><span class="normal">1</span>
<span class="normal">2</span></pre><!--content--></div></td><td class="code"><div><pre id="__code_1"><span></span><code><span class="nt">backup</span><span class="p">:</span>
<span class="w">  </span><span class="nt">daily</span><span class="p">:</span><span class="w"> </span><span class="s">"03:00"</span>
</code></pre></div></td></tr></table></div>
<div class="tabbed-set tabbed-alternate" data-tabs="1:2"><!--/content--><input checked="checked" id="__tabbed_1_1" name="__tabbed_1" type="radio"><!--content--><div class="tabbed-labels"><label for="__tabbed_1_1">Linux</label><label for="__tabbed_1_2">macOS</label></div><div class="tabbed-content"><div class="tabbed-block"><p>Copies go to <code>/var/lib/larder/backups</code>.</p></div><div class="tabbed-block"><p>Copies go to <code>~/Library/Larder</code>.</p></div></div></div>
<details class="note"><summary>Why not at midnight?</summary><p>Many systems do something at midnight, and the disk is busy.</p></details>
<h2 id="restore">Restore<a class="headerlink" href="#restore" title="Permanent link">&para;</a></h2><ol><li><p>Stop the service.</p></li><li><p>Run <code>larder restore latest</code>.</p></li><li><p>Start the service, and compare the number of rows that it logs.</p></li></ol><!--/content-->
<form class="md-feedback" name="feedback"><fieldset><legend class="md-feedback__title">Was this page helpful?</legend><button class="md-feedback__icon" type="submit">Yes</button></fieldset></form></article></div></div></main>
<footer class="md-footer"><nav class="md-footer__inner md-grid" aria-label="Footer"><a href="../install/" class="md-footer__link md-footer__link--prev"><span class="md-footer__direction">Previous</span><div class="md-ellipsis">Install</div></a></nav><div class="md-footer-meta md-typeset">Made with <a href="https://squidfunk.github.io/mkdocs-material/">Material for MkDocs</a></div></footer></div></body></html>`;

const vitepress = `<!DOCTYPE html><html lang="en-US" dir="ltr"><head><meta charset="utf-8"><title>Slots | Plume</title><meta name="description" content="Let parents fill parts of a component."></head>
<body><div id="app"><div class="Layout"><span tabindex="-1"></span><a href="#VPContent" class="VPSkipLink visually-hidden">Skip to content</a>
<header class="VPNav"><div class="VPNavBar has-sidebar"><div class="container"><div class="title"><div class="VPNavBarTitle has-sidebar"><a class="title" href="/">Plume</a></div></div><div class="content"><div class="VPNavBarSearch"><button type="button" class="DocSearch DocSearch-Button"><span>Search</span><kbd>K</kbd></button></div><nav aria-labelledby="main-nav-aria-label" class="VPNavBarMenu menu"><span id="main-nav-aria-label" class="visually-hidden">Main Navigation</span><a class="VPLink link" href="/guide/">Guide</a><a class="VPLink link" href="/api/">API</a></nav></div></div></div></header>
<div class="VPLocalNav has-sidebar empty"><button class="menu">Menu</button><div class="VPLocalNavOutlineDropdown"><button>Return to top</button></div></div>
<aside class="VPSidebar"><nav class="nav" id="VPSidebarNav"><span class="visually-hidden">Sidebar Navigation</span><section class="VPSidebarItem level-0"><h2 class="text">Essentials</h2><div class="items"><div class="VPSidebarItem level-1 is-link"><a class="VPLink link" href="/guide/slots"><p class="text">Slots</p></a></div></div></section></nav></aside>
<div class="VPContent has-sidebar" id="VPContent"><div class="VPDoc has-sidebar has-aside"><div class="container"><div class="aside"><div class="aside-curtain"></div><div class="aside-container"><div class="aside-content"><div class="VPDocAside"><nav class="VPDocAsideOutline"><div class="content"><div class="outline-title">On this page</div><ul><li><a class="outline-link" href="#named">Named slots</a></li></ul></div></nav></div></div></div></div>
<div class="content"><div class="content-container"><main class="main"><div style="position:relative;" class="vp-doc _guide_slots"><div><!--content--><h1 id="slots" tabindex="-1">Slots <a class="header-anchor" href="#slots" aria-label="Permalink to &quot;Slots&quot;">&#8203;</a></h1>
<p>A component offers a slot where its parent may put content of its own. Whatever the parent does not fill shows the component's fallback.</p>
<div class="language-vue vp-adaptive-theme"><!--/content--><button title="Copy Code" class="copy"></button><span class="lang">vue</span><!--content--><pre class="shiki shiki-themes github-light"><code><span class="line"><span style="color:#24292E;">&lt;</span><span>Panel</span><span>&gt;Hello&lt;/Panel&gt;</span></span></code></pre></div>
<h2 id="named" tabindex="-1">Named slots <a class="header-anchor" href="#named">&#8203;</a></h2><p>A component with several slots names them. The one without a name is called <code>default</code>.</p>
<div class="tip custom-block"><p class="custom-block-title">TIP</p><p>Use few slots. A component that has more than three of them is often two components.</p></div><!--/content--></div></div></main>
<footer class="VPDocFooter"><div class="edit-info"><div class="edit-link"><a class="VPLink link edit-link-button" href="#">Edit this page on GitHub</a></div><div class="last-updated"><p class="VPLastUpdated">Last updated: <time>3/4/24</time></p></div></div><nav class="prev-next"><div class="pager"><a class="VPLink link pager-link prev" href="/guide/props"><span class="desc">Previous page</span><span class="title">Props</span></a></div></nav></footer></div></div></div></div></div></div></div></body></html>`;

const hashedClasses = `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"/><title>Quotas – Kestrel Docs</title><script id="__NEXT_DATA__" type="application/json">{"props":{}}</script></head>
<body><div id="__next"><div class="css-1h9z7r5"><div class="css-17zc2p0"><a href="/">Kestrel</a><a href="/docs">Documentation</a><a href="/pricing">Pricing</a><a href="/login">Log in</a></div></div>
<div class="css-k008qs"><div class="css-0"><div class="css-1r6slb0"><p>Getting started</p><a href="/docs/intro">Introduction</a><a href="/docs/keys">API keys</a><p>Operations</p><a href="/docs/quotas">Quotas</a><a href="/docs/alerts">Alerts</a><a href="/docs/regions">Regions</a></div></div>
<div class="css-8atqhb"><div class="css-gmuwbf"><!--content--><h1 class="css-1x0p4iv">Quotas</h1><p class="css-j7qwjs">A quota limits how much of a resource one project may use. Quotas protect projects from each other and from bills that nobody expected.</p>
<h2 class="css-2x0p">Kinds of quotas</h2><p>There are rate quotas, which are counted per minute, and allocation quotas, which limit what exists at the same time. Only rate quotas recover by themselves.</p>
<ul><li>Requests: 600 per minute and project</li><li>Instances: 25 per region</li><li>Storage: 500 gigabytes</li></ul>
<h2>Ask for more</h2><p>Open the console, choose <b>Quotas</b> and describe what you need the additional capacity for. Requests are answered within two working days, and increases take effect at once.</p><!--/content--></div>
<div class="css-1yydxi4"><a href="/docs/keys">← API keys</a><a href="/docs/alerts">Alerts →</a></div></div>
<div class="css-9kq1"><p>On this page</p><a href="#kinds">Kinds of quotas</a><a href="#ask">Ask for more</a></div></div>
<div class="css-xfoot"><div><p>Product</p><a href="/a">Compute</a><a href="/b">Storage</a></div><div><p>Company</p><a href="/about">About</a><a href="/jobs">Jobs</a></div><div>© 2025 Kestrel Systems Ltd.</div></div></div></body></html>`;

const apiReference = `<!DOCTYPE html><html lang="en"><head><title>Create a refund | Ledger API Reference</title></head><body>
<div class="Shell"><div class="Shell-header"><a href="/">LEDGER</a><span>API Reference</span><button>Ask AI</button></div>
<div class="Sidebar" role="navigation"><ul><li><a href="/api/auth">Authentication</a></li><li><a href="/api/refunds">Refunds</a><ul><li><a href="/api/refunds/create">Create a refund</a></li><li><a href="/api/refunds/list">List refunds</a></li></ul></li></ul></div>
<div id="api-content" class="Content"><section class="Method" id="create_refund"><div class="Method-col"><!--content--><h1 class="Method-title">Create a refund</h1><p>Returns money of a charge to the card that paid it. A charge can be refunded in several parts, but never for more than its amount.</p>
<h3>Parameters</h3><ul class="Params"><li class="Param"><h4 class="Param-name"><code>charge</code><span class="Param-type">string</span><span class="Param-required">Required</span></h4><div><p>The id of the charge that is refunded.</p></div></li><li class="Param"><h4><code>amount</code><span class="Param-type">integer</span></h4><div><p>In the smallest unit of the currency. The whole charge by default.</p></div></li><li class="Param"><h4><code>reason</code><span>enum</span></h4><div><p>One of <code>duplicate</code>, <code>fraudulent</code> and <code>requested_by_customer</code>.</p></div></li></ul>
<h3>Returns</h3><p>The refund if it succeeded, and an error if the charge has been refunded already.</p></div><div class="Method-example"><div class="CodePanel"><pre data-lang="bash"><code>curl https://api.ledger.example/v1/refunds \\
  -u "sk_test:" \\
  -d charge=ch_123</code></pre></div><div class="CodePanel"><div class="CodePanel-title">RESPONSE</div><pre class="language-json"><code>{ "id": "re_1", "amount": 1000, "status": "succeeded" }</code></pre></div><!--/content--></div></section></div></div></body></html>`;

const manPage = `<html><head><title>teal(1) - Teal manual</title></head><body><table class="head" width="100%"><tr><td align="left">TEAL(1)</td><td align="center">General Commands Manual</td><td align="right">TEAL(1)</td></tr></table>
<div class="manual-text"><!--content--><section class="Sh"><h2 class="Sh" id="NAME"><a class="permalink" href="#NAME">NAME</a></h2><p class="Pp">teal &#x2014; compare two directory trees</p></section>
<section class="Sh"><h2 class="Sh" id="DESCRIPTION"><a class="permalink" href="#DESCRIPTION">DESCRIPTION</a></h2><p class="Pp">teal walks two directories and reports files that exist in one of them only or that differ. It compares sizes first and contents only if the sizes are equal.</p>
<dl class="Bl-tag"><dt><a class="permalink" href="#q"><code class="Fl" id="q">-q</code></a></dt><dd>Report only whether the trees differ.</dd><dt><code class="Fl">-x</code> <var class="Ar">pattern</var></dt><dd>Leave out files whose names match the pattern.</dd></dl></section>
<section class="Sh"><h2>EXIT STATUS</h2><p>teal exits 0 if the trees are equal, 1 if they differ, and 2 if an error occurred.</p></section><!--/content--></div>
<table class="foot"><tr><td class="foot-date">May 2, 2024</td><td class="foot-os">Teal 3.2</td></tr></table></body></html>`;

export const DOCUMENTATION: readonly PageFixture[] = Object.entries({
  docusaurus,
  sphinx,
  classicSphinx,
  mkdocs,
  vitepress,
  hashedClasses,
  apiReference,
  manPage,
}).map(([name, html]) => ({ name, layout: "documentation", html }));
