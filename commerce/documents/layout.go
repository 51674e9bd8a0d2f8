package documents

import (
	"errors"
	"fmt"
	"strings"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/pricing"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/typeset"
)

// Places on a page, in points. What is said here of left and right is the other way round
// where a language is written from the right.
const (
	margin = 50.0
	width  = typeset.Width - 2*margin
	bottom = typeset.Height - 100
	gap    = 6.0
)

var (
	plain  = typeset.Style{Size: 9.5}
	small  = typeset.Style{Size: 8, Gray: 0.35}
	strong = typeset.Style{Size: 9.5, Bold: true}
	title  = typeset.Style{Size: 20, Bold: true}
)

// end is a style whose lines end at the edge.
func end(s typeset.Style) typeset.Style {
	s.End = true
	return s
}

// ltr is a style for what is written from the left in every language.
func ltr(s typeset.Style) typeset.Style {
	s.Ltr = true
	return s
}

// sheet is a document that is being laid out from top to bottom.
type sheet struct {
	*typeset.Document
	words   *words
	first   int // the first page of what is being laid out
	y       float64
	missing *problem.Problem
	err     error
}

// layOut prints one or more documents of one kind and language. Characters that no font has are
// all reported, each with the place of the text that it is in.
func layOut(fonts *typeset.Fonts, contents ...Content) ([]byte, error) {
	head := contents[0]
	w := wordsFor(head.Locale)
	heading := w.text(string(head.Kind))
	about := typeset.About{Title: strings.TrimSpace(heading + " " + head.Number), Author: head.Seller.Address.Name, Language: w.locale, Created: head.IssuedAt}
	s := &sheet{
		Document: typeset.New(fonts, about), words: w,
		missing: problem.New(problem.Unprocessable, "character_missing", "No font that is installed has some of the document's characters."),
	}
	for _, c := range contents {
		s.first = s.Pages()
		s.Page()
		s.head(c, heading)
		if c.Kind == PackingSlip {
			s.packed(c)
		} else {
			s.priced(c)
		}
		s.foot(c)
	}
	if err := errors.Join(s.err, s.missing.OrNil()); err != nil {
		return nil, err
	}
	return s.Bytes()
}

// set breaks a text into lines; at is where it stands in the document's content.
func (s *sheet) set(at, text string, measure float64, style typeset.Style) typeset.Text {
	set, err := s.Set(text, measure, style)
	var missing *typeset.Missing
	switch {
	case errors.As(err, &missing):
		s.missing.At(at, "character_missing", "No font has %U, “%c”.", missing.Character, missing.Character)
	case err != nil && s.err == nil:
		s.err = fmt.Errorf("set %s: %w", at, err)
	}
	return set
}

// put sets a text and gives its height.
func (s *sheet) put(at, text string, x, y, measure float64, style typeset.Style) float64 {
	set := s.set(at, text, measure, style)
	s.Put(set, x, y)
	return set.Height()
}

// column puts texts below each other and gives where they end.
func (s *sheet) column(at string, texts []string, x, y, measure float64, style typeset.Style) float64 {
	for _, text := range texts {
		if text != "" {
			y += s.put(at, text, x, y, measure, style)
		}
	}
	return y
}

// head is who sells and who buys, and what the document is.
func (s *sheet) head(c Content, heading string) {
	w, half := s.words, width/2-gap
	y := margin
	left := y + s.put("/seller/address/name", c.Seller.Address.Name, margin, y, half, strong)
	left = s.column("/seller/address", s.place(*c.Seller.Address), margin, left, half, small)
	left = s.column("/seller", []string{c.Seller.Email, c.Seller.Website}, margin, left, half, ltr(small))
	if c.Seller.TaxID != "" {
		left += s.put("/seller/tax_id", w.text("tax_id")+": "+c.Seller.TaxID, margin, left, half, small)
	}
	left += s.put("/seller/registration", c.Seller.Registration, margin, left, half, small)
	right := y + s.put("/kind", heading, margin+half+2*gap, y, half, end(title))
	for _, fact := range s.facts(c) {
		if fact.value == "" {
			continue
		}
		label := s.set(fact.at, fact.label, half/2-gap, small)
		value := s.set(fact.at, fact.value, half/2, end(fact.style))
		s.Put(label, margin+half+2*gap, right)
		s.Put(value, margin+half+2*gap+half/2, right)
		right += max(label.Height(), value.Height())
	}
	s.y = max(left, right) + 4*gap

	left = s.y + s.put("/buyer", w.text("buyer"), margin, s.y, half, small)
	if c.Buyer != nil {
		left = s.column("/buyer", s.address(*c.Buyer), margin, left, half, plain)
	}
	left = s.column("/email", []string{c.Email}, margin, left, half, ltr(plain))
	if c.BuyerID != "" {
		left += s.put("/buyer_tax_id", w.text("tax_id")+": "+c.BuyerID, margin, left, half, plain)
	}
	right = s.y
	if c.ShipTo != nil {
		right += s.put("/ship_to", w.text("ship_to"), margin+half+2*gap, right, half, small)
		right = s.column("/ship_to", s.address(*c.ShipTo), margin+half+2*gap, right, half, plain)
		right += s.put("/ship_to/phone", c.ShipTo.Phone, margin+half+2*gap, right, half, ltr(plain))
	}
	s.y = max(left, right) + 4*gap
}

type fact struct {
	at, label, value string
	style            typeset.Style
}

// facts are a document's numbers and dates.
func (s *sheet) facts(c Content) []fact {
	w, code := s.words, ltr(plain)
	facts := []fact{}
	if c.Number != "" {
		facts = append(facts, fact{"/number", w.text(string(c.Kind) + "_number"), c.Number, ltr(strong)})
	}
	facts = append(facts,
		fact{"/issued_at", w.text("issued"), w.date(c.IssuedAt), plain},
		fact{"/order_number", w.text("order"), c.OrderNumber, code},
		fact{"/ordered_at", w.text("ordered"), w.date(c.OrderedAt), plain},
	)
	if c.Corrects != nil {
		facts = append(facts,
			fact{"/corrects/number", w.text("corrects"), c.Corrects.Number, code},
			fact{"/corrects/issued_at", w.text("corrects_dated"), w.date(c.Corrects.IssuedAt), plain})
	}
	if c.Tracking != nil {
		facts = append(facts,
			fact{"/tracking/carrier", w.text("carrier"), c.Tracking.Carrier, plain},
			fact{"/tracking/number", w.text("tracking"), c.Tracking.Number, code})
	}
	if c.Kind == PackingSlip {
		facts = append(facts, fact{"/shipping_method", w.text("shipping"), c.Method, plain})
	}
	return append(facts, fact{"/reason", w.text("reason"), c.Reason, plain})
}

// regionAfterCity are the countries whose addresses end in city, state and postal code.
var regionAfterCity = map[string]bool{"US": true, "CA": true, "AU": true, "IN": true, "GB": true, "IE": true, "NZ": true, "BR": true}

// place is an address without a name, line by line.
func (s *sheet) place(a address.Address) []string {
	town := []string{a.PostalCode, a.City, a.Region}
	if regionAfterCity[a.Country] {
		town = []string{a.City, a.Region, a.PostalCode}
	}
	lines := []string{a.Line1, a.Line2, strings.Join(strings.Fields(strings.Join(town, " ")), " ")}
	if a.Country == "JP" {
		lines = []string{a.PostalCode, a.Region + a.City, a.Line1, a.Line2}
	}
	if a.Country != "" {
		lines = append(lines, s.words.country(a.Country))
	}
	return lines
}

func (s *sheet) address(a address.Address) []string {
	return append([]string{a.Company, a.Name}, s.place(a)...)
}

// cell is a column of a table: its heading, its width, and where its text stands.
type cell struct {
	heading string
	width   float64
	end     bool
}

// row puts a table's row, on a new page below the headings if there is no room for it.
func (s *sheet) row(columns []cell, texts []typeset.Text, headed bool) {
	height := 0.0
	for _, t := range texts {
		height = max(height, t.Height())
	}
	if s.y+height > bottom && headed {
		s.turn()
		s.headings(columns)
	}
	x := margin
	for i, t := range texts {
		s.Put(t, x, s.y)
		x += columns[i].width + gap
	}
	s.y += height + gap
}

// turn begins the next page.
func (s *sheet) turn() {
	s.Page()
	s.y = margin
}

// room begins the next page unless there is room for something of this height.
func (s *sheet) room(height float64) {
	if s.y+height > bottom {
		s.turn()
	}
}

func (s *sheet) headings(columns []cell) {
	texts, wide := []typeset.Text{}, -gap
	for _, c := range columns {
		style := small
		style.End = c.end
		texts = append(texts, s.set("/headings", c.heading, c.width, style))
		wide += c.width + gap
	}
	s.row(columns, texts, false)
	s.Rule(margin, s.y-gap/2, wide, 0.75, 0)
	s.y += gap / 2
}

// named is what was sold: its name, and below it what tells it apart.
func (s *sheet) named(at string, l Line, measure float64) []typeset.Text {
	name := l.Title
	switch {
	case l.Fee:
		name = s.words.text("fee")
	case name == "":
		name = s.words.text("other")
	}
	detail := l.Variant
	if l.SKU != "" {
		detail = strings.TrimPrefix(detail+" · "+l.SKU, " · ")
	}
	return []typeset.Text{s.set(at+"/title", name, measure, plain), s.set(at+"/variant", detail, measure, small)}
}

// priced is the table of an invoice or credit note, its sums, and what is to be said of them.
func (s *sheet) priced(c Content) {
	w := s.words
	columns := []cell{
		{w.text("item"), 0, false}, {w.text("quantity"), 50, true}, {w.text("unit_price"), 88, true}, {w.text("tax"), 58, true}, {w.text("amount"), 92, true},
	}
	columns[0].width = width - 50 - 88 - 58 - 92 - 4*gap
	s.headings(columns)
	for i, l := range c.Lines {
		at := fmt.Sprintf("/lines/%d", i)
		name := s.named(at, l, columns[0].width)
		s.row(columns, []typeset.Text{
			name[0], s.set(at+"/quantity", w.number(l.Quantity), 50, end(plain)), s.set(at+"/unit", s.unit(l), 88, end(plain)),
			s.set(at+"/taxes", s.rates(l.Taxes), 58, end(plain)), s.set(at+"/total", s.amount(l.Total), 92, end(plain)),
		}, true)
		s.below(name[1])
	}
	s.Rule(margin, s.y, width, 0.75, 0)
	s.y += gap
	s.sums(c)
	s.taxes(c)
	notes := []string{}
	if c.TaxIncluded && len(c.Taxes) > 0 {
		notes = append(notes, w.text("tax_included"))
	}
	for _, tax := range allTaxes(c) {
		if tax.Reason == pricing.ReverseCharge {
			notes = append(notes, w.text("reverse_charge"))
			break
		}
	}
	if c.Paid && c.Kind == Invoice {
		notes = append(notes, w.text("paid"))
	}
	for _, note := range notes {
		text := s.set("/notes", note, width, plain)
		s.room(text.Height())
		s.Put(text, margin, s.y)
		s.y += text.Height()
	}
}

// allTaxes are the taxes of a document's lines and of all of it: one that nothing is paid of
// may stand with the lines alone.
func allTaxes(c Content) []Tax {
	all := append([]Tax{}, c.Taxes...)
	for _, l := range c.Lines {
		all = append(all, l.Taxes...)
	}
	return all
}

// below puts what tells a line's thing apart under its name.
func (s *sheet) below(detail typeset.Text) {
	if detail.Width() > 0 {
		s.y -= gap
		s.Put(detail, margin, s.y)
		s.y += detail.Height() + gap
	}
}

func (s *sheet) amount(m money.Money) string { return m.Format(s.words.locale) }

// unit is a line's price of one, unless something was taken off it.
func (s *sheet) unit(l Line) string {
	if l.Unit.Amount*l.Quantity != l.Total.Amount {
		return "–"
	}
	return s.amount(l.Unit)
}

// rates are the percentages of a line's taxes.
func (s *sheet) rates(taxes []Tax) string {
	rates := []string{}
	for _, tax := range taxes {
		if tax.Name == "" {
			continue // there is none
		}
		rates = append(rates, s.words.percent(tax.Percentage))
	}
	if len(rates) == 0 {
		return "–"
	}
	return strings.Join(rates, "\n")
}

// sums are what the lines come to.
func (s *sheet) sums(c Content) {
	w := s.words
	type sum struct {
		label  string
		amount money.Money
		strong bool
	}
	sums := []sum{{w.text("subtotal"), c.Subtotal, false}}
	if !c.Discount.IsZero() {
		sums = append(sums, sum{w.text("discount"), money.New(-c.Discount.Amount, c.Discount.Currency), false})
	}
	if c.Method != "" || !c.Shipping.IsZero() {
		sums = append(sums, sum{strings.TrimSuffix(w.text("shipping")+" · "+c.Method, " · "), c.Shipping, false})
	}
	if !c.TaxIncluded {
		sums = append(sums, sum{w.text("tax"), c.Tax, false})
	}
	total := w.text("total")
	if c.Kind == CreditNote {
		total = w.text("total_credited")
	}
	for _, each := range append(sums, sum{total, c.Total, true}) {
		style := plain
		if each.strong {
			style = typeset.Style{Size: 11, Bold: true}
		}
		label := s.set("/totals", each.label, 170, style)
		amount := s.set("/totals", s.amount(each.amount), 120, end(style))
		s.room(label.Height())
		s.Put(label, margin+width-290, s.y)
		s.Put(amount, margin+width-120, s.y)
		s.y += max(label.Height(), amount.Height()) + gap/2
	}
	s.y += gap
}

// taxes is the table of what was paid of each tax.
func (s *sheet) taxes(c Content) {
	if len(c.Taxes) == 0 {
		return
	}
	w := s.words
	columns := []cell{{w.text("tax_rate"), 140, false}, {w.text("net"), 90, true}, {w.text("tax_amount"), 90, true}}
	s.room(float64(len(c.Taxes)+2) * plain.Size * 2)
	s.headings(columns)
	for i, tax := range c.Taxes {
		at := fmt.Sprintf("/taxes/%d", i)
		s.row(columns, []typeset.Text{
			s.set(at+"/name", strings.TrimSpace(tax.Name+" "+w.percent(tax.Percentage)), 140, plain),
			s.set(at+"/taxable_amount", s.amount(tax.Taxable), 90, end(plain)), s.set(at+"/amount", s.amount(tax.Amount), 90, end(plain)),
		}, true)
	}
	s.y += gap
}

// packed is the table of a packing slip, which has no prices.
func (s *sheet) packed(c Content) {
	w := s.words
	columns := []cell{{w.text("item"), width - 60 - gap, false}, {w.text("quantity"), 60, true}}
	s.headings(columns)
	for i, l := range c.Lines {
		at := fmt.Sprintf("/lines/%d", i)
		name := s.named(at, l, columns[0].width)
		s.row(columns, []typeset.Text{name[0], s.set(at+"/quantity", w.number(l.Quantity), 60, end(strong))}, true)
		s.below(name[1])
	}
	s.Rule(margin, s.y, width, 0.75, 0)
	s.y += 2 * gap
	if c.Note != "" {
		text := s.set("/note", w.text("note")+": "+c.Note, width, plain)
		s.room(text.Height())
		s.Put(text, margin, s.y)
	}
}

// foot is below every page: what the seller always says, and which page it is.
func (s *sheet) foot(c Content) {
	text := s.set("/footer", c.Footer, width-80, small)
	for n := s.first; n < s.Pages(); n++ {
		y := typeset.Height - 80
		number := fmt.Sprintf("%s %s / %s", s.words.text("page"), s.words.number(int64(n-s.first+1)), s.words.number(int64(s.Pages()-s.first)))
		s.PutOn(n, text, margin, y)
		s.PutOn(n, s.set("/page", number, 80, end(small)), margin+width-80, y)
	}
}
