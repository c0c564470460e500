"""Writes families.jsonl and families.sha256 beside it with Hugging Face's library: what the
tokenizers of the golden folders and variations of them make of odd texts, and what their
normalisers and the byte-level expression make of every character.

    pip install tokenizers==0.22.2 && python families.py [TEXTS [SEED [OUT]]]

A line with "family" says which tokenizer.json the lines after it were made with, and what
was changed in it ("set": path to value). The other lines are texts and their encodings.
"""
import hashlib
import json
import random
import struct
import sys
from pathlib import Path

from tokenizers import Tokenizer, normalizers, pre_tokenizers

GOLDEN = Path(__file__).resolve().parents[3] / "tests" / "golden" / "tokenizers"

# Characters that normalisers, grapheme clusters or the byte-level expression treat in ways of
# their own.
ODD = [
    0x0, 0x1, 0x7, 0x9, 0xA, 0xD, 0x1B, 0x7F, 0x85, 0xA0, 0xA8, 0xA9, 0xAA, 0xAD, 0xAE, 0xB2, 0xB4, 0xB5, 0xBC, 0xBD,
    0xC5, 0xC9, 0xDF, 0xE9, 0x130, 0x131, 0x149, 0x17F, 0x1C4, 0x2BC, 0x300, 0x301, 0x308, 0x30A, 0x316, 0x323, 0x327,
    0x340, 0x344, 0x345, 0x37A, 0x37E, 0x384, 0x387, 0x390, 0x3A3, 0x3C2, 0x483, 0x5D0, 0x5B0, 0x600, 0x605, 0x60C,
    0x622, 0x627, 0x64B, 0x653, 0x6DD, 0x70F, 0x8E2, 0x903, 0x915, 0x937, 0x93C, 0x93F, 0x94D, 0x958, 0x9BE, 0xBCD,
    0xCCB, 0xD4E, 0xDDD, 0xE33, 0xEB3, 0xF0C, 0xF71, 0xF73, 0xF81, 0x1100, 0x1112, 0x1161, 0x1175, 0x11A8, 0x11C2,
    0x115F, 0x1160, 0x1680, 0x180E, 0x1AB0, 0x1E9B, 0x1E9E, 0x1EC7, 0x1FEF, 0x2000, 0x200B, 0x200C, 0x200D, 0x200E,
    0x2010, 0x2011, 0x2013, 0x2014, 0x2018, 0x2019, 0x201C, 0x2024, 0x2025, 0x2026, 0x2028, 0x2029, 0x202F, 0x2033,
    0x203C, 0x2047, 0x205F, 0x2060, 0x2070, 0x20AC, 0x20DD, 0x20E3, 0x2100, 0x2122, 0x2126, 0x212B, 0x2160, 0x2163,
    0x2194, 0x2260, 0x2460, 0x2474, 0x2500, 0x2581, 0x2600, 0x263A, 0x2764, 0x2A74, 0x2ADC, 0x2DE0, 0x3000, 0x302E,
    0x304B, 0x304C, 0x3099, 0x309A, 0x309B, 0x30AB, 0x30FB, 0x3131, 0x3200, 0x3231, 0x32FF, 0x338F, 0x33A5, 0x4E2D,
    0xA66F, 0xA7F2, 0xA9B4, 0xAB69, 0xAC00, 0xAC01, 0xD7A3, 0xD7B0, 0xD7CB, 0xE000, 0xF900, 0xFB00, 0xFB03, 0xFB1D,
    0xFB20, 0xFDFA, 0xFE0F, 0xFE30, 0xFE70, 0xFEFF, 0xFF01, 0xFF21, 0xFF76, 0xFF9E, 0xFFA1, 0xFFE3, 0xFFFC, 0xFFFD,
    0x10781, 0x110BD, 0x11099, 0x110BA, 0x11131, 0x11127, 0x11935, 0x11938, 0x1D15E, 0x1D165, 0x1D400, 0x1D7CE,
    0x1E030, 0x1E900, 0x1EE00, 0x1F100, 0x1F130, 0x1F16C, 0x1F1E6, 0x1F1FA, 0x1F3FB, 0x1F468, 0x1F469, 0x1F4BB,
    0x1F600, 0x1F60D, 0x1FBF0, 0x20000, 0x2F800, 0xE0001, 0xE0020, 0xE0100, 0xF0000, 0x10FFFD,
]
WORDS = [
    "the", "sad", "feeling", "Feeling", "hopeless", "I", "I'm", "don't", "we've", "they'll", "it's", "5-10", "1,000",
    "3,", "xyz", "ANXIETY", "``quoted''", "''", "``", "e\u0301", "A\u030a", "\r\n", "a\u0300\u0301", "\U0001F468\u200d\U0001F4BB",
    "\u2764\ufe0f", "\u0915\u094d\u0937", "\u1100\u1161\u11a8", "fi\ufb01", "e.g.", "(x)", "\u20ac5", "50%", "a_b",
]
ADDED = ["<s>", "</s>", "<pad>", "<unk>", "<mask>", " <mask>", "[CLS]", "[SEP]", "[MASK]", "  [MASK] ", "[UNK]", "[PAD]",
         "<sep>", "<cls>", "<eod>", "<eop>", "[CLS", "<0x41>", "<0xC3>"]

VARIANTS = [
    ("roberta", {}),
    ("roberta", {"pre_tokenizer.add_prefix_space": True, "post_processor.add_prefix_space": True}),
    ("roberta", {"post_processor.trim_offsets": False}),
    ("albert", {}),
    ("albert", {"pre_tokenizer": {"type": "Sequence", "pretokenizers": [
        {"type": "WhitespaceSplit"},
        {"type": "Metaspace", "replacement": "\u2581", "add_prefix_space": True}]}}),
    ("xlnet", {}),
    ("xlnet", {"pre_tokenizer.prepend_scheme": "never"}),
    ("deberta-v3", {}),
    ("deberta-v3", {"model.byte_fallback": True}),
    ("deberta-v3", {"normalizer": None}),
]


def text(rng):
    out = []
    for _ in range(rng.randint(0, 12)):
        k = rng.random()
        if k < 0.3:
            out.append(rng.choice(WORDS))
        elif k < 0.65:
            out.append(chr(rng.choice(ODD)))
        elif k < 0.70:
            c = rng.randrange(0x110000)
            out.append(chr(c) if not 0xD800 <= c < 0xE000 else "x")
        elif k < 0.78:
            out.append(rng.choice(ADDED))
        elif k < 0.80:
            out.append(rng.choice("abé") * rng.randint(30, 60))
        else:
            out.append(rng.choice([" ", "  ", "   ", "\t", ", ", "\n", "'", "-", "."]))
    return "".join(out)


def put(tree, path, value):
    *above, last = path.split(".")
    for key in above:
        tree = tree[key]
    tree[last] = value


def charsmap(rules):
    """A precompiled charsmap of the rules, each node of its trie with 256 units of its own."""
    units, texts, bases = {}, bytearray(), [0]
    trie = {}
    for key, value in rules.items():
        node = trie
        for b in key.encode():
            node = node.setdefault(b, {})
        node[-1] = value

    def base():
        bases[0] += 256
        return bases[0]

    def place(node, at):
        for b, child in node.items():
            if b == -1:
                continue
            below = base()
            units[at ^ b] = ((at ^ b ^ below) << 10) | (int(-1 in child) << 8) | b
            if -1 in child:
                units[below] = 1 << 31 | len(texts)
                texts.extend(child[-1].encode() + b"\0")
            place(child, below)

    root = base()
    units[0] = root << 10
    place(trie, root)
    array = [units.get(i, 0) for i in range(bases[0] + 256)]
    trie_bytes = struct.pack("<%dI" % len(array), *array)
    return struct.pack("<I", len(trie_bytes)) + trie_bytes + bytes(texts)


def characters():
    """Hashes, for every Unicode scalar value of a plane that has characters, the golden charsmap's outcome, the decomposition
    without accents, where the byte-level words end, and where grapheme clusters end: a rule
    for the last character of a cluster tells, because short clusters are replaced whole."""
    tree = json.loads((GOLDEN / "deberta-v3" / "tokenizer.json").read_text())["normalizer"]["normalizers"][1]
    precompiled = Tokenizer.from_str(json.dumps({"version": "1.0", "added_tokens": [], "normalizer": tree, "model": {
        "type": "Unigram", "unk_id": 0, "vocab": [["x", 0.0]]}})).normalizer
    probe = normalizers.Precompiled(charsmap({c: "X" for c in "a\u00a9\u1161\u11a8\uac00\u0915\u0600"}))
    unmarked = normalizers.Sequence([normalizers.NFKD(), normalizers.StripAccents()])
    words = pre_tokenizers.ByteLevel(add_prefix_space=False)
    h = hashlib.sha256()
    for c in range(0x110000):
        if 0xD800 <= c < 0xE000 or 0x33500 <= c < 0xE0000 or 0xE0200 <= c:
            continue
        c = chr(c)
        line = [precompiled.normalize_str("a" + c + "\u0301"), unmarked.normalize_str(c)]
        line += [probe.normalize_str(s) for s in (
            "a" + c, c + "a\u0301", c + "\u200d\u00a9\u0301", "\u00a9" + c + "\u200d\u00a9\u0301", c + "\u1161\u0301",
            c + "\u11a8\u0301", c + "\uac00\u0301", c + "\u094d\u0915\u0301", "\u0915" + c + "\u0915\u0301",
            "\u0915\u094d" + c + "\u0915\u0301", "\u0600" + c)]
        line += ["%d-%d" % at for _, at in words.pre_tokenize_str("a" + c + "1" + c + "!")]
        h.update(("\t".join(line) + "\n").encode())
    return h.hexdigest()


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    rng = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 2025)
    lines = []
    for family, changes in VARIANTS:
        tree = json.loads((GOLDEN / family / "tokenizer.json").read_text())
        for path, value in changes.items():
            put(tree, path, value)
        tok = Tokenizer.from_str(json.dumps(tree))
        lines.append({"family": family, "set": changes})
        for _ in range(count):
            s = text(rng)
            e = tok.encode(s)
            lines.append({"text": s, "ids": e.ids, "type_ids": e.type_ids, "mask": e.attention_mask,
                          "offsets": [x for o in e.offsets for x in o], "tokens": [tok.id_to_token(i) for i in e.ids]})
    out = Path(sys.argv[3]) if len(sys.argv) > 3 else Path(__file__).with_name("families.jsonl")
    out.write_text("".join(json.dumps(line) + "\n" for line in lines))
    if len(sys.argv) <= 3:
        Path(__file__).with_name("families.sha256").write_text(characters() + "\n")


if __name__ == "__main__":
    main()
