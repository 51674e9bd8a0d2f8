package page

import (
	"net/http"
	"net/url"

	"github.com/a-h/templ"

	"github.com/stoacommerce/stoa/platform/problem"
)

// maxForm bounds what a form may hold.
const maxForm = 64 << 10

// Form is what a form holds, and what is wrong with it, by its fields' names.
type Form struct {
	Values url.Values
	Faults map[string]string
}

// ReadForm reads what a page's form sent.
func ReadForm(w http.ResponseWriter, r *http.Request) (Form, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return Form{}, problem.New(problem.Invalid, "invalid_body", "The form cannot be read.").Because(err)
	}
	return Form{Values: r.PostForm, Faults: map[string]string{}}, nil
}

// Value is what a field holds.
func (f Form) Value(name string) string { return f.Values.Get(name) }

// Fault notes what is wrong with a field, unless something is already.
func (f Form) Fault(name, text string) {
	if f.Faults[name] == "" {
		f.Faults[name] = text
	}
}

// Invalid says of a field that something is wrong with it, and where that is told.
func (f Form) Invalid(name string) templ.Attributes {
	if f.Faults[name] == "" {
		return nil
	}
	return templ.Attributes{"aria-invalid": "true", "aria-describedby": name + "-fault"}
}
