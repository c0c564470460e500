package torchfile

import (
	"bytes"
	"encoding/binary"
	"math"
	"unicode/utf8"
)

// The instructions that state dicts are made of, by pickletools' names.
const (
	opProto           = 0x80
	opFrame           = 0x95
	opStop            = '.'
	opMark            = '('
	opPop             = '0'
	opNone            = 'N'
	opNewTrue         = 0x88
	opNewFalse        = 0x89
	opBinInt          = 'J'
	opBinInt1         = 'K'
	opBinInt2         = 'M'
	opLong1           = 0x8a
	opBinFloat        = 'G'
	opBinString       = 'T' // of Python 2
	opShortBinString  = 'U'
	opBinUnicode      = 'X'
	opShortBinUnicode = 0x8c
	opEmptyTuple      = ')'
	opTuple           = 't'
	opTuple1          = 0x85
	opTuple2          = 0x86
	opTuple3          = 0x87
	opEmptyList       = ']'
	opAppend          = 'a'
	opAppends         = 'e'
	opEmptyDict       = '}'
	opSetItem         = 's'
	opSetItems        = 'u'
	opGlobal          = 'c'
	opStackGlobal     = 0x93
	opReduce          = 'R'
	opBuild           = 'b'
	opBinPersID       = 'Q'
	opBinPut          = 'q'
	opLongBinPut      = 'r'
	opMemoize         = 0x94
	opBinGet          = 'h'
	opLongBinGet      = 'j'
)

// maxSteps bounds a pickle's instructions: a tensor takes about forty, and a model has a few
// thousand tensors at most. It bounds the memory as well.
const maxSteps = 1 << 20

// The values of a pickle, beside bool, int64, float64, string and nil.
type (
	tuple []any
	list  struct{ items []any }
	dict  struct {
		keys   []string // in the order in which they came
		values map[string]any
	}
	class string // its module and name
	mark  struct{}
	long  string // a number of more than 64 bits, little-endian
)

// A machine runs one pickle.
type machine struct {
	what     string // where the pickle stands, for errors
	program  []byte
	at       int // of the next instruction's first byte, or the byte after the pickle
	stack    []any
	memo     map[uint32]any
	storages map[string]*storage  // by key; nil: none are allowed
	attach   func(*storage) error // finds a new storage's bytes; nil: they come later
	start    int                  // of the instruction that runs
}

// fail is a FormatError at the running instruction.
func (m *machine) fail(format string, args ...any) error {
	return bad("%s, byte %d: "+format, append([]any{m.what, m.start}, args...)...)
}

// run returns the pickle's value and leaves at behind its end.
func (m *machine) run() (any, error) {
	m.memo = map[uint32]any{}
	for range maxSteps {
		m.start = m.at
		op, err := m.take(1)
		if err != nil {
			return nil, err
		}
		if op[0] == opStop {
			return m.pop()
		}
		if err := m.step(op[0]); err != nil {
			return nil, err
		}
	}
	return nil, m.fail("it has more than %d instructions", maxSteps)
}

// step runs one instruction.
func (m *machine) step(op byte) error {
	switch op {
	case opProto:
		version, err := m.take(1)
		if err == nil && (version[0] < 2 || version[0] > 5) {
			err = m.fail("it is of protocol %d; allowed: 2 to 5", version[0])
		}
		return err
	case opFrame:
		_, err := m.take(8) // frames help those who read piece by piece
		return err
	case opMark:
		return m.push(mark{})
	case opPop:
		_, err := m.pop()
		return err
	case opNone:
		return m.push(nil)
	case opNewTrue:
		return m.push(true)
	case opNewFalse:
		return m.push(false)
	case opBinInt, opBinInt1, opBinInt2, opLong1, opBinFloat:
		return m.number(op)
	case opBinString, opShortBinString, opBinUnicode, opShortBinUnicode:
		return m.text(op)
	case opEmptyTuple, opTuple, opTuple1, opTuple2, opTuple3:
		return m.tuple(op)
	case opEmptyList:
		return m.push(&list{})
	case opAppend, opAppends:
		return m.extend(op)
	case opEmptyDict:
		return m.push(&dict{values: map[string]any{}})
	case opSetItem, opSetItems:
		return m.set(op)
	case opGlobal, opStackGlobal:
		return m.global(op)
	case opReduce:
		return m.reduce()
	case opBuild:
		return m.build()
	case opBinPersID:
		return m.persistent()
	case opBinPut, opLongBinPut, opMemoize, opBinGet, opLongBinGet:
		return m.remember(op)
	}
	return m.fail("the pickle instruction %#02x is none that a state dict needs; it is refused", op)
}

// take returns the next n bytes.
func (m *machine) take(n int) ([]byte, error) {
	if n < 0 || n > len(m.program)-m.at {
		return nil, m.fail("the pickle ends amid an instruction; the file is damaged or cut short")
	}
	b := m.program[m.at:][:n]
	m.at += n
	return b, nil
}

func (m *machine) push(v any) error {
	m.stack = append(m.stack, v)
	return nil
}

// pop takes the uppermost value.
func (m *machine) pop() (any, error) {
	n := len(m.stack) - 1
	if n < 0 || m.stack[n] == (mark{}) {
		return nil, m.fail("there is no value where one is needed; the file is damaged")
	}
	v := m.stack[n]
	m.stack = m.stack[:n]
	return v, nil
}

// popMarked takes the values above the uppermost mark, and the mark.
func (m *machine) popMarked() ([]any, error) {
	for i := len(m.stack) - 1; i >= 0; i-- {
		if m.stack[i] == (mark{}) {
			values := append([]any(nil), m.stack[i+1:]...)
			m.stack = m.stack[:i]
			return values, nil
		}
	}
	return nil, m.fail("there is no mark where one is needed; the file is damaged")
}

func (m *machine) number(op byte) error {
	length := map[byte]int{opBinInt: 4, opBinInt1: 1, opBinInt2: 2, opLong1: 1, opBinFloat: 8}[op]
	b, err := m.take(length)
	if err != nil {
		return err
	}
	switch op {
	case opBinInt1:
		return m.push(int64(b[0]))
	case opBinInt2:
		return m.push(int64(binary.LittleEndian.Uint16(b)))
	case opBinInt:
		return m.push(int64(int32(binary.LittleEndian.Uint32(b))))
	case opBinFloat:
		return m.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
	}
	if b, err = m.take(int(b[0])); err != nil {
		return err
	}
	if len(b) > 8 {
		return m.push(long(b))
	}
	var v int64 // two's complement, its sign in the last byte's highest bit
	for i, c := range b {
		v |= int64(c) << (8 * i)
	}
	if n := len(b); n > 0 && n < 8 && b[n-1] >= 0x80 {
		v -= 1 << (8 * n)
	}
	return m.push(v)
}

func (m *machine) text(op byte) error {
	length := 4
	if op == opShortBinString || op == opShortBinUnicode {
		length = 1
	}
	b, err := m.take(length)
	if err != nil {
		return err
	}
	n := uint32(b[0])
	if length == 4 {
		n = binary.LittleEndian.Uint32(b)
	}
	if uint64(n) > uint64(len(m.program)) {
		return m.fail("a text of %d bytes goes beyond the file's end; the file is damaged or cut short", n)
	}
	if b, err = m.take(int(n)); err != nil {
		return err
	}
	if !utf8.Valid(b) {
		return m.fail("a text is not UTF-8; the file is damaged")
	}
	return m.push(string(b))
}

func (m *machine) tuple(op byte) error {
	if op == opTuple {
		values, err := m.popMarked()
		if err != nil {
			return err
		}
		return m.push(tuple(values))
	}
	values := make(tuple, map[byte]int{opTuple1: 1, opTuple2: 2, opTuple3: 3}[op])
	for i := len(values) - 1; i >= 0; i-- {
		v, err := m.pop()
		if err != nil {
			return err
		}
		values[i] = v
	}
	return m.push(values)
}

// operands are what stands above the container: one or two values, or all above a mark.
func (m *machine) operands(marked bool, n int) ([]any, error) {
	if marked {
		return m.popMarked()
	}
	values := make([]any, n)
	for i := n - 1; i >= 0; i-- {
		v, err := m.pop()
		if err != nil {
			return nil, err
		}
		values[i] = v
	}
	return values, nil
}

func (m *machine) extend(op byte) error {
	values, err := m.operands(op == opAppends, 1)
	if err != nil {
		return err
	}
	top, err := m.pop()
	if err != nil {
		return err
	}
	l, ok := top.(*list)
	if !ok {
		return m.fail("values are appended to what is no list; the file is damaged")
	}
	l.items = append(l.items, values...)
	return m.push(l)
}

func (m *machine) set(op byte) error {
	values, err := m.operands(op == opSetItems, 2)
	if err != nil {
		return err
	}
	top, err := m.pop()
	if err != nil {
		return err
	}
	d, ok := top.(*dict)
	if !ok || len(values)%2 != 0 {
		return m.fail("items are set in what is no dict, or a key has no value; the file is damaged")
	}
	for i := 0; i < len(values); i += 2 {
		if err := m.put(d, values[i], values[i+1]); err != nil {
			return err
		}
	}
	return m.push(d)
}

// put adds an entry to a dict.
func (m *machine) put(d *dict, key, value any) error {
	name, ok := key.(string)
	if !ok {
		return m.fail("a dict's key is not text, as a state dict's are")
	}
	if _, twice := d.values[name]; twice {
		return m.fail("the key %.100q is set twice", name)
	}
	d.keys = append(d.keys, name)
	d.values[name] = value
	return nil
}

// global reads the name of a class.
func (m *machine) global(op byte) error {
	var names [2]string
	if op == opStackGlobal {
		values, err := m.operands(false, 2)
		if err != nil {
			return err
		}
		for i, v := range values {
			s, ok := v.(string)
			if !ok {
				return m.fail("a class has no name; the file is damaged")
			}
			names[i] = s
		}
	} else {
		for i := range names {
			n := bytes.IndexByte(m.program[m.at:], '\n')
			if n < 0 {
				return m.fail("the pickle ends amid a class's name; the file is damaged or cut short")
			}
			b, err := m.take(n + 1)
			if err != nil {
				return err
			}
			names[i] = string(b[:n])
		}
	}
	c := class(names[0] + "." + names[1])
	if !allowed(c) {
		return m.fail("it names %.100q, which no state dict needs; nothing of a file is executed, so it is refused", string(c))
	}
	return m.push(c)
}

// remember keeps the uppermost value under a number, or brings one back.
func (m *machine) remember(op byte) error {
	var index uint32
	switch op {
	case opMemoize:
		index = uint32(len(m.memo))
	case opBinPut, opBinGet:
		b, err := m.take(1)
		if err != nil {
			return err
		}
		index = uint32(b[0])
	default:
		b, err := m.take(4)
		if err != nil {
			return err
		}
		index = binary.LittleEndian.Uint32(b)
	}
	if op == opBinGet || op == opLongBinGet {
		v, ok := m.memo[index]
		if !ok {
			return m.fail("nothing was kept under the number %d; the file is damaged", index)
		}
		return m.push(v)
	}
	v, err := m.pop()
	if err != nil {
		return err
	}
	m.memo[index] = v
	return m.push(v)
}
