package torchfile

import (
	"strings"
	"testing"
)

// run runs a pickle that may name storages.
func run(program string) (any, error) {
	m := machine{what: "p", program: []byte(program), storages: map[string]*storage{}}
	return m.run()
}

const storageID = "(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04t"

func TestMachineRefuses(t *testing.T) {
	rebuild := "ctorch._utils\n_rebuild_tensor_v2\n("
	for name, tt := range map[string]struct{ program, want string }{
		"nothing":                   {"", "p, byte 0: the pickle ends"},
		"only a stop":               {".", "no value"},
		"protocol 1":                {"\x80\x01N.", "protocol 1"},
		"text protocol":             {"I1\n.", "instruction 0x49"},
		"persistent as text":        {"Pabc\n.", "instruction 0x50"},
		"an object":                 {"(cos\nsystem\no.", `byte 1: it names "os.system"`},
		"builtins":                  {"\x80\x04\x8c\x08builtins\x8c\x04eval\x93.", `it names "builtins.eval"`},
		"a class without name":      {"NN\x93.", "has no name"},
		"a class cut short":         {"cos", "amid a class's name"},
		"the last opcode":           {"\xff", "instruction 0xff"},
		"a huge text":               {"X\xff\xff\xff\xff.", "beyond the file's end"},
		"a text cut short":          {"X\x04\x00\x00\x00abc", "amid an instruction"},
		"not UTF-8":                 {"U\x01\xff.", "not UTF-8"},
		"no mark":                   {"Nt.", "no mark"},
		"a mark for a value":        {"(\x85.", "no value"},
		"unknown number":            {"h\x07.", "nothing was kept under the number 7"},
		"append to none":            {"NNa.", "no list"},
		"append above nothing":      {"Na.", "no value"},
		"appends without container": {"(Ne.", "no value"},
		"set in none":               {"NNNs.", "no dict"},
		"a key without value":       {"}(Nu.", "no value"},
		"a key that is a number":    {"}K\x01Ns.", "key is not text"},
		"a key twice":               {"}(U\x01aNU\x01aNu.", `"a" is set twice`},
		"make of no class":          {"N)R.", "no class"},
		"make without arguments":    {"ctorch\nFloatStorage\n)R.", "other arguments"},
		"ordered of a number":       {"ccollections\nOrderedDict\nK\x01\x85R.", "other arguments"},
		"ordered of no pairs":       {"ccollections\nOrderedDict\n]Na\x85R.", "other arguments"},
		"ordered of wrong pairs":    {"ccollections\nOrderedDict\n]](K\x01NeA\x85R.", "0x41"},
		"ordered with a number":     {"ccollections\nOrderedDict\n]](K\x01Nea\x85R.", "key is not text"},
		"a parameter of none":       {"ctorch._utils\n_rebuild_parameter\n(NNNtR.", "other arguments"},
		"attributes of a list":      {"]}b.", "attributes"},
		"attributes that are none":  {"}Nb.", "attributes"},
		"a tensor of nothing":       {rebuild + "tR.", "0 arguments"},
		"a tensor of none":          {rebuild + "NNNNtR.", "not made of a storage"},
		"an odd shape":              {rebuild + storageID + "QK\x00U\x01a\x85)tR.", "not made of a storage"},
		"a negative offset":         {rebuild + storageID + "QJ\xff\xff\xff\xff))tR.", "begins at element -1"},
		"a negative size":           {rebuild + storageID + "QK\x00J\xff\xff\xff\xff\x85K\x01\x85tR.", "are negative"},
		"too large":                 {rebuild + storageID + "QK\x00K\x05\x85K\x01\x85tR.", `does not fit the 4 elements of storage "0"`},
		"beyond the end":            {rebuild + storageID + "QK\x03K\x02\x85K\x01\x85tR.", "does not fit"},
		"repeated":                  {rebuild + storageID + "QK\x00K\x09\x85K\x00\x85tR.", "does not fit"},
		"shape and strides":         {rebuild + storageID + "QK\x00K\x02\x85)tR.", "has 1 dimensions"},
		"a shape beyond memory":     {rebuild + storageID + "QK\x00\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x40K\x04\x86K\x00K\x00\x86tR.", "beyond any memory"},
		"strides beyond memory":     {rebuild + storageID + "QK\x00K\x03\x85\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x70\x85tR.", "beyond any memory"},
		"a storage that is none":    {"NQ.", "no storage"},
		"a storage of nothing":      {"(U\x07storageNNNNtQ.", "no storage"},
		"a view":                    {strings.TrimSuffix(storageID, "t") + ")tQ.", "a view of another"},
		"negative elements":         {"(U\x07storagectorch\nFloatStorage\nU\x010NJ\xff\xff\xff\xfftQ.", "has -1 elements"},
		"described twice":           {storageID + "Q0" + strings.Replace(storageID, "Float", "Long", 1) + "Q.", "in two ways"},
		"endless":                   {strings.Repeat("N", maxSteps+1) + ".", "more than 1048576 instructions"},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := run(tt.program)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, %v, want …%s…", v, err, tt.want)
			}
		})
	}
	m := machine{what: "p", program: []byte(storageID + "Q.")} // where no storage may stand
	if _, err := m.run(); err == nil || !strings.Contains(err.Error(), "no storage") {
		t.Errorf("a storage outside a state dict: %v", err)
	}
}

func TestNumbers(t *testing.T) {
	for program, want := range map[string]any{
		"\x8a\x00.": int64(0), "\x8a\x01\xff.": int64(-1), "\x8a\x02\xff\x00.": int64(255), "\x8a\x02\x00\x80.": int64(-32768),
		"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\xff.": int64(-1), "\x8a\x09\x01\x00\x00\x00\x00\x00\x00\x00\x01.": long("\x01\x00\x00\x00\x00\x00\x00\x00\x01"),
		"J\x00\x00\x00\x80.": int64(-1 << 31), "M\xff\xff.": int64(65535), "K\xff.": int64(255), "G\x3f\xf8\x00\x00\x00\x00\x00\x00.": 1.5,
		"\x88.": true, "\x89.": false, "N.": nil, "T\x01\x00\x00\x00a.": "a", "NN0.": nil,
	} {
		if got, err := run(program); err != nil || got != want {
			t.Errorf("%q is %v, %v, want %v", program, got, err, want)
		}
	}
}

// Python 2 wrote an OrderedDict as a list of pairs.
func TestOrderedDictOfPython2(t *testing.T) {
	v, err := run("ccollections\nOrderedDict\n](](U\x01bK\x02e](U\x01aK\x01ee\x85R.")
	d, ok := v.(*dict)
	if err != nil || !ok || strings.Join(d.keys, "") != "ba" || d.values["a"] != int64(1) {
		t.Errorf("got %v, %v", v, err)
	}
	if _, err := entries(v); err == nil || !strings.Contains(err.Error(), `"b" is not a tensor`) {
		t.Errorf("entries: %v", err)
	}
	if _, err := entries("text"); err == nil {
		t.Error("a text is no state dict")
	}
}
