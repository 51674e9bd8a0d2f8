package storefront

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"

	"github.com/stoacommerce/stoa/commerce/privacy"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/web/page"
)

// personalView is where shoppers take away what the shop keeps of them, and are erased.
type personalView struct {
	formView
	InTheWay []string // why they cannot be erased yet
}

func (v *visit) personalData() error {
	c, err := v.signedIn()
	if c == nil {
		return err
	}
	return v.showPersonalData(http.StatusOK, page.Form{}, nil)
}

func (v *visit) showPersonalData(status int, f page.Form, inTheWay *problem.Problem) error {
	p := &personalView{formView: v.accountForm("Your data", f)}
	if inTheWay != nil {
		for _, fault := range inTheWay.Faults {
			p.InTheWay = append(p.InTheWay, p.fault(fault.Code, fault.Detail))
		}
	}
	return page.Personal(v.w, v.r, status, personalData(p))
}

// takeData answers with a file of all that the shop keeps of who is signed in.
func (v *visit) takeData() error {
	c, err := v.signedIn()
	if c == nil {
		return err
	}
	var data json.RawMessage
	err = v.inStore(func(ctx context.Context, tx *postgres.Tx) error {
		data, err = v.config().Privacy.Export(ctx, tx, privacy.Subject{CustomerID: c.ID})
		return err
	})
	if err != nil {
		return err
	}
	var file bytes.Buffer
	if err := json.Indent(&file, data, "", "  "); err != nil {
		return err
	}
	page.File(v.w, v.r, "my-data.json", "application/json", file.Bytes())
	return nil
}

// eraseMe erases who is signed in and confirms it by the password.
func (v *visit) eraseMe() error {
	f, c, err := v.signedForm()
	if c == nil {
		return err
	}
	if err = v.config().Customers.Confirm(v.r.Context(), *c, f.Value("password")); err == nil {
		err = v.inStore(func(ctx context.Context, tx *postgres.Tx) error {
			_, err := v.config().Privacy.Erase(ctx, tx, privacy.Subject{CustomerID: c.ID}, "")
			return err
		})
	}
	switch p := problem.As(err); {
	case problem.Is(err, "erasure_in_the_way"):
		return v.showPersonalData(http.StatusConflict, f, p)
	case p != nil && len(p.Faults) > 0:
		v.addFaults(f, p)
		return v.showPersonalData(http.StatusUnprocessableEntity, f, nil)
	case err != nil:
		return err
	}
	v.forgetShopper()
	v.message(http.StatusOK, "Your account is erased", "What the law has the shop keep stays without your name.", false)
	return nil
}
