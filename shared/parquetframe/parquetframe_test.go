package parquetframe

import "testing"

func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		data, want string
	}{
		"empty":              {"", "it is not Parquet from its beginning to its end"},
		"marks alone":        {"PAR1PAR1", "it is not Parquet from its beginning to its end"},
		"other beginning":    {"PARE\x00\x00\x00\x00PAR1", "it is not Parquet from its beginning to its end"},
		"cut":                {"PAR1\x01\x01\x00\x00\x00PAR", "it is not Parquet from its beginning to its end"},
		"no footer":          {"PAR1\x00\x00\x00\x00PAR1", ""},
		"footer":             {"PAR1f\x01\x00\x00\x00PAR1", ""},
		"longer by one":      {"PAR1f\x02\x00\x00\x00PAR1", "its footer is longer than the file"},
		"the longest footer": {"PAR1f\xff\xff\xff\xffPAR1", "its footer is longer than the file"},
	} {
		got := ""
		if err := Check([]byte(c.data)); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
