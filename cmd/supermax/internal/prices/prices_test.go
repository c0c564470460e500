package prices

import (
	"math"
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	table, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	if len(table.Date) != 10 || table.Region == "" {
		t.Errorf("the prices are of %q in %q", table.Date, table.Region)
	}
	for name, price := range table.Instances {
		if !(price > 0) && name != "laptop" {
			t.Errorf("%s costs %v", name, price)
		}
	}
	for name, price := range map[string]float64{"request": table.Lambda.Request, "GB second": table.Lambda.GBSecond,
		"write": table.DynamoDB.WriteUnit, "read": table.DynamoDB.ReadUnit, "transition": table.StepFunctions.Transition,
		"terabyte": table.Athena.Terabyte, "low": table.Spot.Low} {
		if !(price > 0) {
			t.Errorf("%s is %v", name, price)
		}
	}
	if !(table.Spot.Low < table.Spot.High && table.Spot.High <= 1) {
		t.Errorf("Spot costs from %v to %v of on demand", table.Spot.Low, table.Spot.High)
	}
	if _, err := table.Instance("p5.48xlarge"); err == nil || !strings.Contains(err.Error(), `"p5.48xlarge" has no price`) || !strings.Contains(err.Error(), "g5.xlarge") {
		t.Errorf("an instance without a price: %v", err)
	}
	// 5 dollars a terabyte, and never less than 10 MB: 10e6 / 1e12 · 5.
	for scanned, want := range map[int64]float64{0: 5e-5, 1e12: 5, 2e6: 5e-5} {
		if got := table.Query(scanned); math.Abs(got-want) > 1e-12 {
			t.Errorf("scanning %d bytes costs %v, want %v", scanned, got, want)
		}
	}
}
