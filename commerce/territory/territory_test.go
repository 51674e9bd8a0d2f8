package territory_test

import (
	"context"
	"fmt"
	"reflect"
	"testing"

	"github.com/stoacommerce/stoa/commerce/territory"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

func TestCheck(t *testing.T) {
	good := territory.Territory{Country: "GB", Region: "Kent", PostalCodes: []string{"sw1a 1aa", "ct*", "10000 .. 10999"}}
	good.Tidy()
	if want := []string{"10000..10999", "CT", "SW1A1AA"}; !reflect.DeepEqual(good.PostalCodes, want) {
		t.Errorf("tidy: %v", good.PostalCodes)
	}
	p := problem.New(problem.Unprocessable, "invalid", "")
	if good.Check(p, ""); p.OrNil() != nil {
		t.Error(p.OrNil())
	}
	bad := territory.Territory{Country: "XX", Region: "a\nb", PostalCodes: []string{"", "1..22", "9..1", "(902)"}}
	bad.Check(p, "/at")
	got := ""
	for _, f := range p.Faults {
		got += f.Pointer + " "
	}
	if want := "/at/country /at/region /at/postal_codes/0 /at/postal_codes/1 /at/postal_codes/2 /at/postal_codes/3 "; got != want {
		t.Errorf("faults at %s", got)
	}
}

func TestCovers(t *testing.T) {
	t.Parallel()
	platform := testdb.Open(t)
	ctx := platform.Store(t)
	for _, c := range []struct {
		in      territory.Territory
		address string
		want    bool
	}{
		{territory.Territory{Country: "US"}, `{"country":"US","region":"NY","postal_code":"10001"}`, true},
		{territory.Territory{Country: "US"}, `{"country":"CA"}`, false},
		{territory.Territory{Country: "US", Region: "NY"}, `{"country":"US","region":"ny"}`, true},
		{territory.Territory{Country: "US", Region: "NY"}, `{"country":"US","region":"CA"}`, false},
		{territory.Territory{Country: "US", Region: "NY"}, `{"country":"US"}`, false},
		{territory.Territory{Country: "US", PostalCodes: []string{"10000..10999"}}, `{"country":"US","postal_code":"10999-1234"}`, true},
		{territory.Territory{Country: "US", PostalCodes: []string{"10000..10999"}}, `{"country":"US","postal_code":"11000"}`, false},
		{territory.Territory{Country: "GB", PostalCodes: []string{"SW1A", "CT"}}, `{"country":"GB","postal_code":"ct1 1aa"}`, true},
		{territory.Territory{Country: "GB", PostalCodes: []string{"SW1A", "CT"}}, `{"country":"GB","postal_code":"SW1B 1AA"}`, false},
		{territory.Territory{Country: "GB", PostalCodes: []string{"SW1A"}}, `{"country":"GB"}`, false},
		{territory.Territory{Country: "ES", PostalCodes: []string{"35", "38"}}, `{"country":"ES","postal_code":"38001"}`, true},
	} {
		var got bool
		err := platform.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			codes := c.in.PostalCodes
			if codes == nil {
				codes = []string{}
			}
			return tx.QueryRow(ctx, fmt.Sprintf(`select %s from (select a.address->>'country' as country, %s from (select $4::jsonb as address) a) at`,
				territory.Covers("$1::text", "$2::text", "$3::text[]", "at"), territory.Place("a.address")), c.in.Country, c.in.Region, codes, c.address).Scan(&got)
		})
		if err != nil || got != c.want {
			t.Errorf("%+v holds %s: %v, %v", c.in, c.address, got, err)
		}
	}
}
