package storefront

import (
	"context"
	"net/http"

	"github.com/stoacommerce/stoa/commerce/alerts"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/web/page"
)

// askAlert keeps a shopper's wish to be told when something is back. It answers the same
// whether or not they wished it before.
func (v *visit) askAlert() error {
	f, err := v.form()
	if err != nil {
		return err
	}
	err = v.inStore(func(ctx context.Context, tx *postgres.Tx) error {
		return alerts.Ask(ctx, tx, alerts.Wish{VariantID: f.Value("variant"), Email: f.Value("email"), Locale: v.view("", "").Lang})
	})
	switch p := problem.As(err); {
	case p != nil && p.Code == "in_stock":
		v.message(http.StatusUnprocessableEntity, "It is back already", "You can buy it now.", false)
	case p != nil && p.Kind == problem.Unprocessable:
		v.message(http.StatusUnprocessableEntity, "That did not work", "Please look at the address once more.", false)
	case err != nil:
		return err
	default:
		v.message(http.StatusOK, "Look into your mail", "A link is on its way to you. Nothing else is sent before you follow it.", false)
	}
	return nil
}

// alertStep is what can be done with a wish by a link from a mail.
func (v *visit) alertStep() (id, step string, err error) {
	id, step = v.r.PathValue("alert"), v.r.PathValue("step")
	ref, _ := postgres.StoreFrom(v.r.Context())
	if step != "confirm" && step != "end" || !v.config().Links.signed(ref, "alert", id, v.r.URL.Query().Get("key")) {
		return "", "", problem.Missing("page")
	}
	return id, step, nil
}

// alertForm is where a link in a mail leads. It changes nothing, as programs follow links too.
func (v *visit) alertForm() error {
	_, step, err := v.alertStep()
	if err != nil {
		return err
	}
	form := v.accountForm("Back in stock", page.Form{})
	return page.Personal(v.w, v.r, http.StatusOK, alertStep(form, v.prefix+v.r.URL.RequestURI(), step == "confirm"))
}

func (v *visit) takeAlert() error {
	id, step, err := v.alertStep()
	if err != nil {
		return err
	}
	found := true
	err = v.inStore(func(ctx context.Context, tx *postgres.Tx) (err error) {
		if step == "end" {
			return alerts.End(ctx, tx, id)
		}
		found, err = alerts.Confirm(ctx, tx, id)
		return err
	})
	switch {
	case err != nil:
		return err
	case step == "end":
		v.message(http.StatusOK, "Nothing more is sent to you", "If you think otherwise later, ask again on the product’s page.", false)
	case !found:
		v.message(http.StatusNotFound, "This link does not work any more", "It was used, or is too old. You can ask for another.", false)
	default:
		v.message(http.StatusOK, "Thank you", "We tell you once it is back.", false)
	}
	return nil
}
