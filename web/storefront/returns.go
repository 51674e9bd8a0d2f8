package storefront

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/web/page"
)

// reasons are why something comes back, in the contract's words and in the shopper's.
var reasons = []reason{
	{"too_small", "Too small"}, {"too_large", "Too large"}, {"not_as_described", "Not as described"}, {"damaged", "Damaged on the way"}, {"defective", "It does not work"},
	{"wrong_item", "Not what I ordered"}, {"late", "It came too late"}, {"unwanted", "I do not want it any more"}, {"other", "Another reason"},
}

type reason struct{ Code, Words string }

// reasonWords are why something comes back, as the shopper reads it.
func (v *view) reasonWords(code string) string {
	for _, r := range reasons {
		if r.Code == code {
			return v.T(r.Words)
		}
	}
	return code
}

// kept is how many of a line were sent, did not come back and are not about to.
func (o *order) kept(l orderLine) int64 {
	n := l.Fulfilled - l.Returned
	for _, b := range o.Returns {
		if !b.underWay() {
			continue
		}
		for _, part := range b.Lines {
			if part.LineID == l.ID {
				n -= part.Quantity
			}
		}
	}
	return max(n, 0)
}

// returnable are the lines of which something can be asked to go back.
func (o *order) returnable() []orderLine {
	if o.State == "cancelled" {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(o.Lines), func(l orderLine) bool { return o.kept(l) == 0 })
}

// underWay says whether what the return is of is still to come back, or to be looked at.
func (b goodsBack) underWay() bool {
	return b.State == orders.ReturnRequested || b.State == orders.ReturnApproved || b.State == orders.ReturnReceived
}

// partsOf says what a return is of.
func (p *orderView) partsOf(b goodsBack) []string {
	var list []string
	for _, part := range b.Lines {
		i := slices.IndexFunc(p.Lines, func(l orderLine) bool { return l.ID == part.LineID })
		if i < 0 {
			continue
		}
		text := strconv.FormatInt(part.Quantity, 10) + " × " + p.Lines[i].Title
		if title := variantTitle(p.Lines[i].VariantTitle); title != "" {
			text += ", " + title
		}
		list = append(list, text+" · "+p.reasonWords(part.Reason))
	}
	return list
}

// returnView is the form by which a shopper asks to send something back.
type returnView struct {
	formView
	Order *order
	Lines []orderLine
}

// most is how many of a line can go back.
func (p *returnView) most(l orderLine) string { return strconv.FormatInt(p.Order.kept(l), 10) }

// mostNote is how many letters a note has, in the contract.
const mostNote = 2000

// returnForm is where a shopper says what is to go back of an order that they may see.
func (v *visit) returnForm() error {
	o, err := v.own()
	if err != nil {
		return err
	}
	values := url.Values{}
	if lines := o.returnable(); len(lines) == 1 {
		values.Set("quantity_"+lines[0].ID, strconv.FormatInt(o.kept(lines[0]), 10))
	}
	return v.showReturn(http.StatusOK, &o, page.Form{Values: values})
}

func (v *visit) showReturn(status int, o *order, f page.Form) error {
	p := &returnView{formView: v.accountForm("Send something back", f), Order: o, Lines: o.returnable()}
	if len(p.Lines) == 0 {
		v.see("/orders/" + o.ID)
		return nil
	}
	return page.Personal(v.w, v.r, status, returnPage(p))
}

// askReturn asks the shop to take something back.
func (v *visit) askReturn() error {
	f, err := v.form()
	if err != nil {
		return err
	}
	o, err := v.own()
	if err != nil {
		return err
	}
	in := orders.ReturnInput{OrderID: o.ID, Asked: true, Lines: v.goingBack(&o, f), Note: strings.TrimSpace(f.Value("note"))}
	if utf8.RuneCountInString(in.Note) > mostNote {
		f.Fault("note", v.view("", "").fault("maxLength", ""))
	}
	if len(f.Faults) > 0 {
		return v.showReturn(http.StatusUnprocessableEntity, &o, f)
	}
	err = v.inStore(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := v.config().Orders.OpenReturn(ctx, tx, in)
		return err
	})
	if p := problem.As(err); p != nil && p.Kind == problem.Unprocessable {
		f.Fault("lines", v.view("", "").fault(p.Code, p.Detail))
		return v.showReturn(http.StatusUnprocessableEntity, &o, f)
	}
	if err != nil {
		return err
	}
	v.see("/orders/" + o.ID + "#returns")
	return nil
}

// goingBack are the lines that a form chooses; what is wrong with it is noted there.
func (v *visit) goingBack(o *order, f page.Form) []orders.ReturnLine {
	var lines []orders.ReturnLine
	view := v.view("", "")
	for _, l := range o.returnable() {
		quantity, why := "quantity_"+l.ID, "reason_"+l.ID
		n, err := strconv.ParseInt(strings.TrimSpace(f.Value(quantity)), 10, 64)
		switch {
		case strings.TrimSpace(f.Value(quantity)) == "", err == nil && n == 0:
			continue
		case err != nil || n < 0 || n > o.kept(l):
			f.Fault(quantity, view.fault("quantity_exceeded", ""))
		case !slices.ContainsFunc(reasons, func(r reason) bool { return r.Code == f.Value(why) }):
			f.Fault(why, view.T("Please choose a reason."))
		}
		lines = append(lines, orders.ReturnLine{LineID: l.ID, Quantity: n, Reason: f.Value(why)})
	}
	if len(lines) == 0 {
		f.Fault("lines", view.T("Please say how many of what you want to send back."))
	}
	return lines
}
