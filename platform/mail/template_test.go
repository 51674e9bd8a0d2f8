package mail

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestDefaultsAreTemplatesThatCanBeEdited(t *testing.T) {
	for kind := range kinds {
		for _, lang := range Languages() {
			standard, spoken := Default(kind, lang)
			if wrong := standard.Check(kind); len(wrong) > 0 || !spoken {
				t.Errorf("%s in %s: %+v, %t", kind, lang, wrong, spoken)
			}
		}
		for _, v := range Variables(kind, "de-AT") {
			if v.Name == "" || v.Meaning == "" || (v.Type == typeText) == (v.Example == "") || (v.Type == typeList) == (len(v.Items) == 0) {
				t.Errorf("of %s: %+v", kind, v)
			}
		}
	}
	if t, spoken := Default(KindOrderShipped, "fr"); spoken || t.Locale != "en" {
		panic(t.Locale)
	}
	if len(OfStores()) != len(kinds)-4 || KindTOTPChanged.SentByStores() || Kind("carrier_pigeon").SentByStores() {
		t.Errorf("stores send %v", OfStores())
	}
}

// TestFaultsOfTemplates tries what a merchant can write, and that each fault names its line.
func TestFaultsOfTemplates(t *testing.T) {
	const button = `<p><a class="button" href="{{url}}">See it</a></p>`
	for body, want := range map[string]string{
		button + "\n<p>{{#lines}}{{title}} {{number}}{{/lines}}{{^test}}<br>{{/test}}{{#discount}}{{.}}{{/discount}}{{! a note }}</p>": "",
		"<p>\n{{numbr}}</p>" + button:                         "body_html 2 unknown_variable",
		"{{title}}" + button:                                  "body_html 1 unknown_variable",
		"{{.}}" + button:                                      "body_html 1 unknown_variable",
		"{{lines}}" + button:                                  "body_html 1 unknown_variable",
		"{{shipping_address.city}}" + button:                  "body_html 1 unknown_variable",
		"{{#nothing}}x{{/nothing}}" + button:                  "body_html 1 unknown_variable",
		button + "\n\n{{#lines}}":                             "body_html 3 syntax",
		button + "\n{{/lines}}":                               "body_html 2 syntax",
		button + "\n{{#lines}}{{/test}}{{/lines}}":            "body_html 2 syntax",
		button + "\n{{number":                                 "body_html 2 syntax",
		button + "{{}}":                                       "body_html 1 syntax",
		button + "{{{number}}}":                               "body_html 1 not_allowed",
		button + "{{& number}}":                               "body_html 1 not_allowed",
		button + "\n{{> /etc/passwd}}":                        "body_html 2 not_allowed",
		button + "{{=<% %>=}}<%& number %>":                   "body_html 1 not_allowed",
		button + "{{#lines}}\n{{#lines}}{{/lines}}{{/lines}}": "body_html 2 nesting",
		button + strings.Repeat("{{#test}}", 9) + strings.Repeat("{{/test}}", 9): "body_html 1 nesting",
		button + "\n<script>alert(1)</script>":                                   "body_html 2 not_allowed",
		button + `<p onclick="x()">a</p>`:                                        "body_html 1 not_allowed",
		button + `<p style="display:none">a</p>`:                                 "body_html 1 not_allowed",
		button + `<p class="mine">a</p>`:                                         "body_html 1 not_allowed",
		button + `<p {{#test}}class="quiet"{{/test}}>a</p>`:                      "body_html 1 not_allowed",
		button + `<a href="javascript:alert(1)">a</a>`:                           "body_html 1 not_allowed",
		button + `<a href="/orders">a</a>`:                                       "body_html 1 not_allowed",
		button + "\n<!-- a -->":                                                  "body_html 2 not_allowed",
		button + `<img src="https://shop.example.com/a.png" alt="a"><a href="mailto:a@b.example">{{number}}</a><a href="https://a.example/?n={{number}}">a</a>`: "",
		"<p>Thank you.</p>":                "body_html 0 required_variable",
		"{{! {{url}} }}":                   "body_html 0 required_variable",
		"{{#test}}" + button + "{{/test}}": "body_html 0 required_variable",
		"{{^url}}" + button + "{{/url}}":   "body_html 0 required_variable",
		`<p>a<a href="{{url}}"></a></p>`:   "body_html 0 required_variable",
		"{{#url}}" + button + "{{/url}}":   "",
		`<img src="{{url}}" alt="">`:       "body_html 0 required_variable",
	} {
		wrong := Template{"en", "Your order {{number}}", body}.Check(KindOrderConfirmation)
		var got []string
		for _, f := range wrong {
			got = append(got, fmt.Sprintf("%s %d %s", f.Part, f.Line, f.Code))
			if f.Text == "" || f.Line > 0 && !strings.Contains(f.Text, fmt.Sprint(f.Line)) {
				t.Errorf("%s says %q", body, f.Text)
			}
		}
		if want == "" && len(got) > 0 || want != "" && !slices.Contains(got, want) {
			t.Errorf("%s: %+v, want %q", body, wrong, want)
		}
	}
	for subject, want := range map[string]string{"{{#test}}x{{/test}}": "required", "{{total_": "syntax", "{{nothing}}": "unknown_variable"} {
		if wrong := (Template{"en", subject, button}).Check(KindOrderConfirmation); len(wrong) != 1 || wrong[0].Code != want || wrong[0].Part != PartSubject {
			t.Errorf("subject %s: %+v", subject, wrong)
		}
	}
}

// TestTemplatesAreBounded has templates that were never checked give as much as they can.
func TestTemplatesAreBounded(t *testing.T) {
	order := OrderConfirmation{Number: "#1", URL: link, Lines: slices.Repeat([]Line{{Title: "Bowl", Quantity: 1, Total: eur(1)}}, 500)}
	for _, body := range []string{
		strings.Repeat("{{#lines}}", 20) + strings.Repeat("{{/lines}}", 20),
		strings.Repeat("{{#lines}}", 20) + "{{{title}}}{{> /etc/passwd}}" + strings.Repeat("{{/lines}}", 20),
		"{{#lines}}" + strings.Repeat("{{title}}", 5000) + "{{/lines}}",
	} {
		began := time.Now()
		if _, err := (Template{"en", "s", body}).Render("en", shop, order); !errors.Is(err, errTooLong) || !errors.Is(err, ErrPermanent) {
			t.Errorf("%.40s…: %v", body, err)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%.40s… took %v", body, took)
		}
	}
	m, err := Template{"en", "{{number}}", "{{> /etc/passwd}}{{Number}}{{lines.0}}{{url.Kind}}x"}.Render("en", shop, order)
	if err != nil || !strings.Contains(m.HTML, "\nx\n") {
		t.Errorf("something else was read: %v\n%s", err, m.HTML)
	}
	order.Number = strings.Repeat("9", 1000)
	if m, err = (Template{"en", "{{number}}", "x"}).Render("en", shop, order); err != nil || m.Validate() == nil || len(m.Subject) > maxSubjectBytes {
		t.Errorf("a long subject: %q, %v", m.Subject, err)
	}
}

func TestTextIsMadeOfContent(t *testing.T) {
	source := `<h1>Thank you,
 <em>Ada</em></h1><p>One <b>two</b>,<br>three &amp; four.</p><ul><li>a</li><li>b <a href="https://a.example/x">c</a></li></ul><hr>
<table class="items"><tr><td>Bowl<br><span class="quiet">Blue</span></td><td align="right">× 2</td></tr><tr><td></td><td>€1.00</td></tr></table>
<p><a class="button" href="https://a.example/go">Go</a></p><p><a href="mailto:a@b.example">a@b.example</a> <img src="https://a.example/i.png" alt="A bowl"></p></td></table></div><script>x</script>`
	c, err := read(source)
	if err != nil {
		t.Fatal(err)
	}
	const want = "Thank you, Ada\n\nOne two,\nthree & four.\n\n- a\n- b c (https://a.example/x)\n\n---\n\nBowl, Blue  × 2\n€1.00\n\nGo:\nhttps://a.example/go\n\na@b.example A bowl\n"
	if got := c.text(); got != want {
		t.Errorf("text\n%q\nwant\n%q", got, want)
	}
	if got := c.opening(); got != "One two, three & four." {
		t.Errorf("it opens with %q", got)
	}
	page, err := c.html(shop.tidy(), "ltr")
	if err != nil || strings.Contains(page, "script") || !strings.Contains(page, "background:"+shop.Color) {
		t.Errorf("%v\n%s", err, page)
	}
	visible(t, page)
}
