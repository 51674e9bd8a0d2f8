package documents

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// edit is what a document of an order's edit needs to know of it.
type edit struct {
	Order   string     `json:"order"`
	Reason  string     `json:"reason"`
	Lines   []editLine `json:"lines"`
	Invoice Reference  `json:"invoice"`
}

// editLine is what an edit changed of a line, or of the shipping: what it comes to more, or less.
type editLine struct {
	Title    string      `json:"title"`
	Variant  string      `json:"variant"`
	SKU      string      `json:"sku"`
	Quantity int64       `json:"quantity"`
	Unit     money.Money `json:"unit"`
	Total    money.Money `json:"total"`
	Taxes    []Tax       `json:"taxes"`
}

// editSQL reads an edit of what had been invoiced before it.
const editSQL = `
select json_build_object('order', e.order_id, 'reason', e.reason, 'lines', e.lines,
	'invoice', (select json_build_object('number', d.number, 'issued_at', d.issued_at) from documents d where d.order_id = e.order_id and d.kind = 'invoice' and d.edit_id is null))::text
from order_edits e where e.id = $1 and e.invoiced`

// IssueEdit issues the document of an edit, or gives the one that there is: a further invoice
// where the order comes to more by it, a credit note where it comes to less. An edit of what was
// not invoiced has none, as it is part of the invoice.
func (s *Service) IssueEdit(ctx context.Context, tx *postgres.Tx, editID string) (Issued, error) {
	var raw []byte
	var e edit
	err := tx.QueryRow(ctx, editSQL, editID).Scan(&raw)
	if errors.Is(err, postgres.ErrNoRows) {
		return Issued{}, problem.Missing("edit of what was invoiced")
	}
	if err == nil {
		err = json.Unmarshal(raw, &e)
	}
	if err != nil {
		return Issued{}, fmt.Errorf("read edit %s for a document: %w", editID, err)
	}
	if err := hold(ctx, tx, e.Order); err != nil {
		return Issued{}, err
	}
	known, err := issued(ctx, tx, `where edit_id = $1`, editID)
	if err == nil || !errors.Is(err, postgres.ErrNoRows) {
		return known, err
	}
	o, err := read(ctx, tx, e.Order)
	if err != nil {
		return Issued{}, err
	}
	return write(ctx, tx, o, Issued{OrderID: e.Order, EditID: &editID}, o.edited(e))
}

// edited is what the document of an edit says: the difference, line by line.
func (o *order) edited(e edit) Content {
	c, sign := o.content(Invoice), int64(1)
	more := int64(0)
	for _, l := range e.Lines {
		more += o.gross(Line{Total: l.Total, Taxes: l.Taxes})
	}
	if more < 0 {
		c, sign = o.content(CreditNote), -1
	}
	invoice := Reference{Number: e.Invoice.Number, IssuedAt: e.Invoice.IssuedAt.UTC()}
	c.Corrects, c.Reason = &invoice, e.Reason
	taxes := [][]Tax{}
	for _, l := range e.Lines {
		line := Line{Title: l.Title, Variant: l.Variant, SKU: l.SKU, Quantity: sign * l.Quantity, Unit: l.Unit, Total: o.money(sign * l.Total.Amount), Taxes: []Tax{}}
		if l.Quantity == 0 { // what sending costs
			line.Quantity, line.Unit = 1, line.Total
		}
		for _, tax := range l.Taxes {
			tax.Taxable.Amount, tax.Amount.Amount = sign*tax.Taxable.Amount, sign*tax.Amount.Amount
			line.Taxes = append(line.Taxes, tax)
		}
		c.Lines, taxes = append(c.Lines, line), append(taxes, line.Taxes)
		c.Subtotal.Amount += line.Total.Amount
	}
	c.Taxes = addUp(taxes...)
	c.Tax, c.Total = sum(c.Taxes, o.Currency), o.money(sign*more)
	c.Paid = c.Kind == Invoice && (o.PaymentState == "paid" || o.PaymentState == "partially_refunded" || o.PaymentState == "refunded")
	return c
}
