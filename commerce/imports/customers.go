package imports

import (
	"context"
	"strings"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/sheets"
)

// The columns of a table of customers.
const (
	colEmail column = iota
	colFirstName
	colLastName
	colPhone
	colMarketing
	colSMS
	colNote
	colExempt
	colExemptReason
	colAddressName
	colAddressFirst
	colAddressLast
	colCompany
	colLine1
	colLine2
	colCity
	colRegion
	colRegionName
	colCountry
	colZip
	colAddressPhone
	colTaxID
	colLabels
)

// people are tables of customers: as Shopify's exports name their columns, as its template
// does, and as it used to.
var people = &sheet{"customer", [][]string{
	colEmail:        {"Email"},
	colFirstName:    {"First Name"},
	colLastName:     {"Last Name"},
	colPhone:        {"Phone"},
	colMarketing:    {"Accepts Email Marketing", "Accepts Marketing"},
	colSMS:          {"Accepts SMS Marketing"},
	colNote:         {"Note"},
	colExempt:       {"Tax Exempt"},
	colExemptReason: {"Tax Exempt Reason"},
	colAddressName:  {"Default Address Name"},
	colAddressFirst: {"Default Address First Name"},
	colAddressLast:  {"Default Address Last Name"},
	colCompany:      {"Default Address Company", "Company"},
	colLine1:        {"Default Address Address1", "Address1"},
	colLine2:        {"Default Address Address2", "Address2"},
	colCity:         {"Default Address City", "City"},
	colRegion:       {"Default Address Province Code", "Province Code"},
	colRegionName:   {"Default Address Province", "Province"},
	colCountry:      {"Default Address Country Code", "Country Code"},
	colZip:          {"Default Address Zip", "Zip"},
	colAddressPhone: {"Default Address Phone"},
	colTaxID:        {"Default Address Tax ID"},
	colLabels:       {"Tags"},
}, []column{colEmail}, []fields.Resource{fields.Customers}, false}

// takePeople takes the customers in that groups of one row tell of, and gives the rows their
// fates. What a row says stands in no message: they outlive the person.
func (r *run) takePeople(ctx context.Context, tx *postgres.Tx, groups []group) error {
	for _, g := range groups {
		of := g.rows[0]
		of.messages, of.outcome, of.objectID, of.handle, of.undo = nil, "", "", "", nil
		if err := r.takePerson(ctx, tx, of); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) takePerson(ctx context.Context, tx *postgres.Tx, of *row) error {
	switch {
	case of.blank():
		of.outcome = Skipped
		of.say(message(Info, "blank_row", "", "The row is blank."))
		return nil
	case of.broken != "":
		of.say(message(Error, "csv_syntax", "", "%s", of.broken))
	case len(of.fields) > len(r.table.header) && strings.Join(of.fields[len(r.table.header):], "") != "":
		of.say(message(Error, "too_many_columns", "", "The row has %d columns, the first line of the file %d. Texts with commas must stand in quotation marks.", len(of.fields), len(r.table.header)))
	case r.table.text(of, colEmail) == "":
		r.table.wrong(of, colEmail, "email_missing", "A customer is known by an e-mail address, and the row has none.")
	}
	change := r.person(of)
	if of.has(Error) {
		of.outcome = Failed
		return nil
	}
	if _, err := tx.Exec(ctx, `savepoint person`); err != nil {
		return err
	}
	taken, err := r.service.customers.Take(ctx, tx, r.table.text(of, colEmail), change)
	if problem.As(err) != nil {
		of.outcome = Failed
		r.blamePerson(of, err)
		_, err = tx.Exec(ctx, `rollback to savepoint person`)
		return err
	}
	if err != nil {
		return err
	}
	of.objectID = taken.ID
	if !r.preview {
		of.undo = taken.Undo
	}
	for _, channel := range taken.Withdrawn {
		r.table.warn(of, map[string]column{"email": colMarketing, "sms": colSMS}[channel], "consent_withdrawn", "They have taken back that they may be written to, and it stays so.")
	}
	switch email := r.named(of); {
	case taken.Made && r.preview && r.seen[email]:
		of.outcome = Updated
		of.say(message(Info, "made_before", "", "It goes to the customer of an earlier row, who is not there yet."))
	case taken.Made:
		of.outcome = Created
		r.seen[email] = true
	case taken.Changed:
		of.outcome = Updated
	default:
		of.outcome = Skipped
		of.say(message(Info, "unchanged", "", "Nothing in it is new."))
	}
	_, err = tx.Exec(ctx, `release savepoint person`)
	return err
}

// cell is what a row says in a column, nil where it is blank: what there is stays.
func (r *run) cell(of *row, c column) *string {
	text := oneLine(sheets.Plain(r.table.text(of, c)))
	if text == "" {
		return nil
	}
	return &text
}

// person is what a row says of a customer.
func (r *run) person(of *row) customers.Change {
	t := r.table
	change := customers.Change{
		Phone: r.cell(of, colPhone), AcceptsMarketing: t.boolean(of, colMarketing), AcceptsSMS: t.boolean(of, colSMS), CustomFields: t.values(of, fields.Customers), TaxExemptReason: r.cell(of, colExemptReason),
	}
	if labels := r.cell(of, colLabels); labels != nil {
		change.Tags = list(*labels)
	}
	if note := strings.TrimSpace(sheets.Plain(t.text(of, colNote))); note != "" {
		change.Note = &note
	}
	if name := joinedName(r.cell(of, colFirstName), r.cell(of, colLastName)); name != "" {
		change.Name = &name
	}
	switch exempt := t.boolean(of, colExempt); {
	case exempt == nil:
	case !*exempt:
		change.TaxExemptReason = new(string)
	case change.TaxExemptReason == nil:
		reason := "Tax exempt where they were imported from"
		change.TaxExemptReason = &reason
	}
	if a := r.address(of, change.Name); a != nil {
		change.DefaultAddress = &a
	}
	return change
}

// address is the address of a row; nil where it has none, or too little of one, which is a
// warning.
func (r *run) address(of *row, name *string) *address.Address {
	var a address.Address
	some := false
	for c, part := range map[column]*string{
		colAddressName: &a.Name, colCompany: &a.Company, colLine1: &a.Line1, colLine2: &a.Line2, colCity: &a.City, colRegion: &a.Region, colCountry: &a.Country,
		colZip: &a.PostalCode, colAddressPhone: &a.Phone, colTaxID: &a.TaxID,
	} {
		if text := r.cell(of, c); text != nil {
			*part, some = *text, true
		}
	}
	if !some {
		return nil
	}
	if a.Name == "" {
		a.Name = joinedName(r.cell(of, colAddressFirst), r.cell(of, colAddressLast))
	}
	if a.Name == "" && name != nil {
		a.Name = *name
	}
	if region := r.cell(of, colRegionName); a.Region == "" && region != nil {
		a.Region = *region
	}
	a.Country = strings.ToUpper(a.Country)
	a = a.Trim()
	wrong := problem.New(problem.Unprocessable, "details_invalid", "The address cannot be kept.")
	if a.Check(wrong, "/default_address"); len(wrong.Faults) > 0 {
		for _, fault := range wrong.Faults {
			of.say(message(Warning, "address_left_out", r.place(fault.Pointer), "The customer was taken in without the address: %s", fault.Detail))
		}
		return nil
	}
	return &a
}

func joinedName(first, last *string) string {
	var parts []string
	for _, part := range []*string{first, last} {
		if part != nil {
			parts = append(parts, *part)
		}
	}
	return strings.Join(parts, " ")
}

// personColumn are the columns that the customers' pointers lead to.
var personColumn = map[string]column{
	"/email": colEmail, "/name": colLastName, "/phone": colPhone, "/note": colNote, "/tax_exempt_reason": colExemptReason, "/tags": colLabels,
	"/default_address/name": colAddressName, "/default_address/company": colCompany, "/default_address/line1": colLine1, "/default_address/line2": colLine2,
	"/default_address/city": colCity, "/default_address/region": colRegion, "/default_address/country": colCountry, "/default_address/postal_code": colZip,
	"/default_address/phone": colAddressPhone, "/default_address/tax_id": colTaxID,
}

// place is the column that one of the customers' pointers is about.
func (r *run) place(pointer string) string {
	if key, ok := strings.CutPrefix(pointer, "/custom_fields/"); ok {
		return r.table.customColumn(fields.Customers, strings.Split(key, "/")[0])
	}
	if c, known := personColumn[pointer]; known {
		return r.table.name(c)
	}
	return ""
}

// blamePerson says on a row why its customer is refused.
func (r *run) blamePerson(of *row, err error) {
	why := problem.As(err)
	switch {
	case why == nil:
		of.say(message(Error, "internal_error", "", internalFault))
	case len(why.Faults) == 0:
		of.say(message(Error, why.Code, "", "%s", why.Detail))
	default:
		for _, fault := range why.Faults {
			of.say(message(Error, fault.Code, r.place(fault.Pointer), "%s", fault.Detail))
		}
	}
}
