package imports_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/imports"
)

const peopleHeader = "First Name,Last Name,Email,Accepts Email Marketing,Default Address Company,Default Address Address1,Default Address Address2,Default Address City," +
	"Default Address Province Code,Default Address Country Code,Default Address Zip,Default Address Phone,Phone,Tags,Note,Tax Exempt,Shoe size (customer.metafields.custom.shoe)\n"

func TestCustomersFromShopify(t *testing.T) {
	t.Parallel()
	h := open(t, imports.Config{Batch: 2}, catalog.Unlimited{})
	h.exec(`insert into field_definitions (id, resource, key, name, type) values ('cfd_1', 'customer', 'shoe', 'Shoe size', 'integer')`)
	h.exec(`insert into customers (id, email, name, note) values ('cus_1', 'known@example.com', 'Known Example', 'Prefers blue')`)
	file := peopleHeader +
		"Ada,Example,Ada@Example.com,yes,,1 Sample Street,,'s-Gravenhage,,NL,2511 AA,,'+31 70 0000000,\"vip, dutch\",,yes,42\n" +
		",,known@example.com,,,,,,,,,,030,,,,\n" +
		"No,Address,b@example.com,no,,1 Sample Street,,Toronto,,CA,,,,,,no,\n" +
		"No,Mail,,no,,,,,,,,,,,,no,\n" +
		"Bad,Mail,nobody,no,,,,,,,,,,,,no,\n" +
		"Bad,Truth,c@example.com,perhaps,,,,,,,,,,,,no,\n" +
		"Bad,Size,d@example.com,no,,,,,,,,,,,,no,large\n" +
		",,,,,,,,,,,,,,,,\n" +
		",,ada@example.com,yes,,,,,,,,,,,'=1+1,,42\n"
	as := imports.As{Customers: true}
	foreseen := h.takeAs(file, imports.As{Customers: true, Preview: true})
	if n := value[int](h, `select count(*) from customers`); n != 1 {
		t.Fatalf("a preview left %d customers", n)
	}
	o := h.takeAs(file, as)
	const want = "2 created\n3 updated\n4 created: warning address_left_out (Default Address Province Code), warning address_left_out (Default Address Zip)\n" +
		"5 failed: error email_missing (Email)\n6 failed: error email (Email)\n7 failed: error not_boolean (Accepts Email Marketing)\n8 failed: error type (Shoe size (customer.metafields.custom.shoe))\n" +
		"9 skipped: info blank_row\n10 updated"
	if got := o.fates(); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if got := foreseen.fates(); got != want+": info made_before" {
		t.Errorf("foreseen\n%s", got)
	}
	if got := value[string](h, `select concat_ws('|', name, phone, accepts_marketing, note, tax_exempt_reason, custom_fields, tags, default_address->>'city', default_address->>'name', password_hash is null)
		from customers where email = 'ada@example.com'`); got != `Ada Example|+31 70 0000000|t|=1+1|Tax exempt where they were imported from|{"shoe": 42}|{vip,dutch}|'s-Gravenhage|Ada Example|t` {
		t.Error(got)
	}
	if got := value[string](h, `select concat_ws('|', name, phone, note) from customers where id = 'cus_1'`); got != "Known Example|030|Prefers blue" {
		t.Error(got)
	}
	if got := value[string](h, `select string_agg(type || ' ' || n, ', ' order by type) from (select type, count(*) as n from events where type like 'customer.%' group by type) e`); got != "customer.created 2, customer.subscribed 1, customer.updated 4" {
		t.Error(got)
	}
	if n := value[int](h, `select count(*) from operation_rows where handle <> '' or messages::text ~* 'example|street'`); n != 0 {
		t.Errorf("%d rows tell of a person", n)
	}
	again := h.takeAs(file, as)
	if again.Counts.Created+again.Counts.Updated != 0 || again.Counts.Skipped != 5 || again.Counts.Failed != 4 {
		t.Errorf("again: %+v\n%s", again.Counts, again.fates())
	}
	h.noFiles()

	// Undone, nothing is left of it, but for who has done something since.
	before := value[string](h, peopleSQL)
	more := h.takeAs("Email,First Name,Tags,Accepts Email Marketing,Shoe size (customer.metafields.custom.shoe)\nada@example.com,Adah,press,no,43\nnew@example.com,New,,yes,40\nother@example.com,Other,,,\nnew@example.com,Newer,,,\nbuyer@example.com,Buyer,,,\n", as)
	if more.fates() != "2 updated\n3 created\n4 created\n5 updated\n6 created" || more.Undo == nil {
		t.Fatalf("%s, until %v", more.fates(), more.Undo)
	}
	h.exec(`insert into carts (id, token_hash, currency, customer_id, expires_at) select 'cart_1', '', 'EUR', id, now() from customers where email = 'buyer@example.com'`)
	h.exec(`update customers set note = 'Called' where email = 'other@example.com'`)
	if got := h.undo(more.ID).fates(); got != "1 failed: error has_orders\n2 updated\n3 failed: error changed_since\n4 deleted\n5 updated" {
		t.Error(got)
	}
	h.exec(`delete from customers where email in ('buyer@example.com', 'other@example.com')`)
	if after := value[string](h, peopleSQL); after != before {
		t.Errorf("undone, they are\n%s\nand were\n%s", after, before)
	}

	// Who has taken consent back is not written to, whatever a list says.
	no := h.takeAs("Email,Accepts Email Marketing\nada@example.com,no\n", as)
	yes := h.takeAs("Email,Accepts Email Marketing\nada@example.com,yes\n", as)
	if no.fates() != "2 updated" || yes.fates() != "2 skipped: warning consent_withdrawn (Accepts Email Marketing), info unchanged" || value[bool](h, `select accepts_marketing from customers where email = 'ada@example.com'`) {
		t.Errorf("%s, then %s", no.fates(), yes.fates())
	}
}

const peopleSQL = `select string_agg(concat_ws('|', email, name, phone, accepts_marketing, note, tax_exempt_reason, custom_fields, tags, addresses), E'\n' order by email) from customers`

// Consent to text messages comes beside that to mails, each with its proof.
func TestConsentToTextMessages(t *testing.T) {
	t.Parallel()
	h := open(t, imports.Config{}, catalog.Unlimited{})
	as := imports.As{Customers: true}
	const header = "Email,Accepts Email Marketing,Accepts SMS Marketing\n"
	h.takeAs(header+"ada@example.com,no,yes\nbob@example.com,yes,no\n", as)
	no := h.takeAs(header+"ada@example.com,,no\n", as)
	again := h.takeAs(header+"ada@example.com,yes,yes\n", as)
	if no.fates() != "2 updated" || again.fates() != "2 updated: warning consent_withdrawn (Accepts SMS Marketing)" {
		t.Errorf("%s, then %s", no.fates(), again.fates())
	}
	if got := value[string](h, `select string_agg(concat_ws(' ', split_part(email, '@', 1), channel, granted), ', ' order by id) from marketing_consents`); got != "ada sms t, bob email t, ada sms f, ada email t" {
		t.Error(got)
	}
	if got := value[string](h, `select string_agg(concat_ws(' ', accepts_marketing, accepts_sms_marketing), ', ' order by email) from customers`); got != "t f, t f" {
		t.Error(got)
	}
}

// Customers are taken in slices, as products are.
func TestCustomersInSlices(t *testing.T) {
	t.Parallel()
	h := open(t, imports.Config{Slice: 1, Batch: 100}, catalog.Unlimited{})
	var file strings.Builder
	file.WriteString("Email,First Name,Last Name,Accepts Marketing,Company,Address1,Address2,City,Province Code,Country Code,Zip,Phone,Note,Tax Exempt\n")
	for i := range 300 {
		fmt.Fprintf(&file, "p%d@example.com,Person,No%d,yes,,1 Sample Street,,Berlin,,DE,10115,,,no\n", i, i)
	}
	o := h.takeAs(file.String(), imports.As{Customers: true})
	h.want(o, "succeeded", imports.Counts{Created: 300})
	if n := value[int](h, `select count(*) from customers where default_address->>'city' = 'Berlin' and accepts_marketing`); n != 300 {
		t.Errorf("%d customers", n)
	}
}
