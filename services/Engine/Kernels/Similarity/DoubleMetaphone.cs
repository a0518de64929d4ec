namespace Qualiz.Engine.Kernels.Similarity;

/// <summary>
/// How a word sounds, in one or two ways: L. Philips, "The Double Metaphone Search Algorithm" (C/C++ Users Journal 18, June 2000), with codes of at most four letters. It knows what English makes of letters and, for names, what
/// German, Slavic, Romance and Greek spelling does. Case does not count; what is no letter sounds like nothing. X stands for "sh", 0 for "th".
/// </summary>
internal ref struct DoubleMetaphone
{
    public const int Longest = 4;
    private const double Usual = 0.9;
    private const double Possible = 0.8;

    private readonly ReadOnlySpan<char> _word;
    private readonly Span<char> _primary;
    private readonly Span<char> _secondary;
    private readonly bool _isSlavic;
    private int _primaryLength;
    private int _secondaryLength;
    private int _at;

    private DoubleMetaphone(ReadOnlySpan<char> word, Span<char> primary, Span<char> secondary)
    {
        _word = word;
        _primary = primary;
        _secondary = secondary;
        _isSlavic = word.ContainsAny('W', 'K') || word.Contains("CZ", StringComparison.Ordinal) || word.Contains("WITZ", StringComparison.Ordinal);
    }

    /// <summary>1 for equal words, 0.9 where they usually sound the same, 0.8 where they may, else 0.</summary>
    public static double Similarity(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        if (a.Equals(b, StringComparison.OrdinalIgnoreCase))
            return 1;
        Span<char> x = stackalloc char[4 * Longest];
        var (primary, secondary) = Code(a, x[..Longest], x[Longest..(2 * Longest)]);
        var (other, another) = Code(b, x[(2 * Longest)..(3 * Longest)], x[(3 * Longest)..]);
        ReadOnlySpan<char> a1 = x[..primary], a2 = x.Slice(Longest, secondary), b1 = x.Slice(2 * Longest, other), b2 = x.Slice(3 * Longest, another);
        if (a1.Length > 0 && a1.SequenceEqual(b1))
            return Usual;
        return (a1.Length > 0 && a1.SequenceEqual(b2)) || (a2.Length > 0 && (a2.SequenceEqual(b1) || a2.SequenceEqual(b2))) ? Possible : 0;
    }

    /// <param name="primary">Room for <see cref="Longest"/> letters: the code of the usual sound.</param>
    /// <param name="secondary">The same: that of another one; equal to the first where there is none.</param>
    /// <returns>How long the two codes are.</returns>
    public static (int Primary, int Secondary) Code(ReadOnlySpan<char> word, Span<char> primary, Span<char> secondary)
    {
        word = word.Trim();
        Span<char> upper = word.Length <= 128 ? stackalloc char[word.Length] : new char[word.Length];
        word.ToUpperInvariant(upper);
        var encoder = new DoubleMetaphone(upper, primary, secondary);
        encoder.Run();
        return (encoder._primaryLength, encoder._secondaryLength);
    }

    private readonly int Last => _word.Length - 1;

    private void Run()
    {
        if (Has(0, "GN", "KN", "PN", "WR", "PS"))
            _at = 1;
        while (_at < _word.Length && (_primaryLength < Longest || _secondaryLength < Longest))
            Step();
    }

    private void Step()
    {
        switch (_word[_at])
        {
            case 'A' or 'E' or 'I' or 'O' or 'U' or 'Y':
                if (_at == 0)
                    Add("A");
                _at++;
                break;
            case 'B':
                Add("P");
                Skip('B');
                break;
            case 'Ç':
                Add("S");
                _at++;
                break;
            case 'C':
                OfC();
                break;
            case 'D':
                OfD();
                break;
            case 'F':
                Add("F");
                Skip('F');
                break;
            case 'G':
                OfG();
                break;
            case 'H':
                // Only before a vowel, and at the beginning or between vowels.
                if ((_at == 0 || IsVowel(_at - 1)) && IsVowel(_at + 1))
                {
                    Add("H");
                    _at++;
                }
                _at++;
                break;
            case 'J':
                OfJ();
                break;
            case 'K':
                Add("K");
                Skip('K');
                break;
            case 'L':
                OfL();
                break;
            case 'M':
                Add("M");
                _at += IsSilentB() || Letter(_at + 1) == 'M' ? 2 : 1;
                break;
            case 'N':
                Add("N");
                Skip('N');
                break;
            case 'Ñ':
                Add("N");
                _at++;
                break;
            case 'P':
                if (Letter(_at + 1) == 'H')
                {
                    Add("F");
                    _at += 2;
                    break;
                }
                Add("P");
                _at += Letter(_at + 1) is 'P' or 'B' ? 2 : 1;
                break;
            case 'Q':
                Add("K");
                Skip('Q');
                break;
            case 'R':
                // French: Rogier.
                if (_at == Last && !_isSlavic && Has(_at - 2, "IE") && !Has(_at - 4, "ME", "MA"))
                    Add("", "R");
                else
                    Add("R");
                Skip('R');
                break;
            case 'S':
                OfS();
                break;
            case 'T':
                OfT();
                break;
            case 'V':
                Add("F");
                Skip('V');
                break;
            case 'W':
                OfW();
                break;
            case 'X':
                OfX();
                break;
            case 'Z':
                OfZ();
                break;
            default:
                _at++;
                break;
        }
    }

    private void OfC()
    {
        if (IsGermanicCh() || (_at == 0 && Has(0, "CAESAR")))
        {
            Add(_at == 0 && Has(0, "CAESAR") ? "S" : "K");
            _at += 2;
        }
        else if (Has(_at, "CH"))
        {
            OfCh();
            _at += 2;
        }
        else if (Has(_at, "CZ") && !Has(_at - 2, "WICZ"))
        {
            Add("S", "X");
            _at += 2;
        }
        else if (Has(_at + 1, "CIA"))
        {
            Add("X");
            _at += 3;
        }
        else if (Has(_at, "CC") && !(_at == 1 && _word[0] == 'M'))
        {
            if (Letter(_at + 2) is 'I' or 'E' or 'H' && !Has(_at + 2, "HU"))
            {
                // Accident, succeed; else as in Bacci.
                Add((_at == 1 && _word[0] == 'A') || Has(_at - 1, "UCCEE", "UCCES") ? "KS" : "X");
                _at += 3;
            }
            else
            {
                Add("K");
                _at += 2;
            }
        }
        else if (Has(_at, "CK", "CG", "CQ"))
        {
            Add("K");
            _at += 2;
        }
        else if (Has(_at, "CI", "CE", "CY"))
        {
            Add("S", Has(_at, "CIO", "CIE", "CIA") ? "X" : "S");
            _at += 2;
        }
        else
        {
            Add("K");
            _at += Has(_at + 1, " C", " Q", " G") ? 3 : Letter(_at + 1) is 'C' or 'K' or 'Q' && !Has(_at + 1, "CE", "CI") ? 2 : 1;
        }
    }

    /// <summary>As in Bach and Bacher, and Italian chia.</summary>
    private readonly bool IsGermanicCh() => Has(_at, "CHIA")
        || (_at > 1 && !IsVowel(_at - 2) && Has(_at - 1, "ACH") && Letter(_at + 2) is var next && next != 'I' && (next != 'E' || Has(_at - 2, "BACHER", "MACHER")));

    private void OfCh()
    {
        if (_at > 0 && Has(_at, "CHAE"))
            Add("K", "X");
        else if (_at == 0 && (Has(1, "HARAC", "HARIS") || Has(1, "HOR", "HYM", "HIA", "HEM")) && !Has(0, "CHORE"))
            Add("K");
        else if (IsGermanic() || Has(_at - 2, "ORCHES", "ARCHIT", "ORCHID") || Letter(_at + 2) is 'T' or 'S'
            || ((_at == 0 || Letter(_at - 1) is 'A' or 'O' or 'U' or 'E') && (Letter(_at + 2) is 'L' or 'R' or 'N' or 'M' or 'B' or 'H' or 'F' or 'V' or 'W' or ' ' || _at + 1 == Last)))
            Add("K");
        else if (_at == 0)
            Add("X");
        else if (Has(0, "MC"))
            Add("K");
        else
            Add("X", "K");
    }

    private void OfD()
    {
        if (!Has(_at, "DG"))
        {
            Add("T");
            _at += Letter(_at + 1) is 'T' or 'D' ? 2 : 1;
        }
        else if (Letter(_at + 2) is 'I' or 'E' or 'Y')
        {
            Add("J");
            _at += 3;
        }
        else
        {
            Add("TK");
            _at += 2;
        }
    }

    private void OfG()
    {
        var next = Letter(_at + 1);
        if (next == 'H')
        {
            OfGh();
            _at += 2;
        }
        else if (next == 'N')
        {
            if (_at == 1 && IsVowel(0) && !_isSlavic)
                Add("KN", "N");
            else if (!Has(_at + 2, "EY") && !_isSlavic)
                Add("N", "KN");
            else
                Add("KN");
            _at += 2;
        }
        else if (Has(_at + 1, "LI") && !_isSlavic)
        {
            Add("KL", "L");
            _at += 2;
        }
        else if ((_at == 0 && (next == 'Y' || Has(1, "ES", "EP", "EB", "EL", "EY", "IB", "IL", "IN", "IE", "EI", "ER")))
            || ((Has(_at + 1, "ER") || next == 'Y') && !Has(0, "DANGER", "RANGER", "MANGER") && Letter(_at - 1) is not ('E' or 'I') && !Has(_at - 1, "RGY", "OGY")))
        {
            Add("K", "J");
            _at += 2;
        }
        else if (next is 'E' or 'I' or 'Y' || Has(_at - 1, "AGGI", "OGGI"))
        {
            if (IsGermanic() || Has(_at + 1, "ET"))
                Add("K");
            else
                Add("J", Has(_at + 1, "IER") ? "J" : "K");
            _at += 2;
        }
        else
        {
            Add("K");
            Skip('G');
        }
    }

    private void OfGh()
    {
        if (_at > 0 && !IsVowel(_at - 1))
            Add("K");
        else if (_at == 0)
            Add(Letter(2) == 'I' ? "J" : "K");
        // Hugh, bough, broughton: nothing is heard.
        else if ((_at > 1 && Letter(_at - 2) is 'B' or 'H' or 'D') || (_at > 2 && Letter(_at - 3) is 'B' or 'H' or 'D') || (_at > 3 && Letter(_at - 4) is 'B' or 'H'))
            return;
        else if (_at > 2 && Letter(_at - 1) == 'U' && Letter(_at - 3) is 'C' or 'G' or 'L' or 'R' or 'T')
            Add("F");
        else if (Letter(_at - 1) != 'I')
            Add("K");
    }

    private void OfJ()
    {
        if (Has(_at, "JOSE") || Has(0, "SAN "))
        {
            if ((_at == 0 && Letter(4) == ' ') || _word.Length == 4 || Has(0, "SAN "))
                Add("H");
            else
                Add("J", "H");
            _at++;
            return;
        }
        if (_at == 0)
            Add("J", "A");
        else if (IsVowel(_at - 1) && !_isSlavic && Letter(_at + 1) is 'A' or 'O')
            Add("J", "H");
        else if (_at == Last)
            Add("J", "");
        else if (Letter(_at + 1) is not ('L' or 'T' or 'K' or 'S' or 'N' or 'M' or 'B' or 'Z') && Letter(_at - 1) is not ('S' or 'K' or 'L'))
            Add("J");
        Skip('J');
    }

    private void OfL()
    {
        // Spanish: cabrillo, gallegos.
        var isSpanish = Letter(_at + 1) == 'L'
            && ((_at == _word.Length - 3 && Has(_at - 1, "ILLO", "ILLA", "ALLE")) || ((Has(Last - 1, "AS", "OS") || Letter(Last) is 'A' or 'O') && Has(_at - 1, "ALLE")));
        Add("L", isSpanish ? "" : "L");
        Skip('L');
    }

    /// <summary>Dumb, thumb, plumber.</summary>
    private readonly bool IsSilentB() => Has(_at - 1, "UMB") && (_at + 1 == Last || Has(_at + 2, "ER"));

    private void OfS()
    {
        if (Has(_at - 1, "ISL", "YSL"))
        {
            _at++;
        }
        else if (_at == 0 && Has(0, "SUGAR"))
        {
            Add("X", "S");
            _at++;
        }
        else if (Has(_at, "SH"))
        {
            Add(Has(_at + 1, "HEIM", "HOEK", "HOLM", "HOLZ") ? "S" : "X");
            _at += 2;
        }
        else if (Has(_at, "SIO", "SIA"))
        {
            Add("S", _isSlavic ? "S" : "X");
            _at += 3;
        }
        else if ((_at == 0 && Letter(1) is 'M' or 'N' or 'L' or 'W') || Letter(_at + 1) == 'Z')
        {
            Add("S", "X");
            _at += Letter(_at + 1) == 'Z' ? 2 : 1;
        }
        else if (Has(_at, "SC"))
        {
            OfSc();
            _at += 3;
        }
        else
        {
            // French: resnais, artois.
            Add(_at == Last && Has(_at - 2, "AI", "OI") ? "" : "S", "S");
            _at += Letter(_at + 1) is 'S' or 'Z' ? 2 : 1;
        }
    }

    private void OfSc()
    {
        if (Letter(_at + 2) != 'H')
            Add(Letter(_at + 2) is 'I' or 'E' or 'Y' ? "S" : "SK");
        // Dutch: school, schooner; schermerhorn, schenker.
        else if (Has(_at + 3, "ER", "EN"))
            Add("X", "SK");
        else if (Has(_at + 3, "OO", "UY", "ED", "EM"))
            Add("SK");
        else
            Add("X", _at == 0 && !IsVowel(3) && Letter(3) != 'W' ? "S" : "X");
    }

    private void OfT()
    {
        if (Has(_at, "TION", "TIA", "TCH"))
        {
            Add("X");
            _at += 3;
        }
        else if (Has(_at, "TH", "TTH"))
        {
            // Thomas, Thames, and German.
            if (Has(_at + 2, "OM", "AM") || IsGermanic())
                Add("T");
            else
                Add("0", "T");
            _at += 2;
        }
        else
        {
            Add("T");
            _at += Letter(_at + 1) is 'T' or 'D' ? 2 : 1;
        }
    }

    private void OfW()
    {
        if (Has(_at, "WR"))
        {
            Add("R");
            _at += 2;
            return;
        }
        if (_at == 0 && IsVowel(1))
            Add("A", "F");
        else if (_at == 0 && Has(0, "WH"))
            Add("A");
        if ((_at == Last && IsVowel(_at - 1)) || Has(_at - 1, "EWSKI", "EWSKY", "OWSKI", "OWSKY") || Has(0, "SCH"))
        {
            Add("", "F");
            _at++;
        }
        else if (Has(_at, "WICZ", "WITZ"))
        {
            Add("TS", "FX");
            _at += 4;
        }
        else
        {
            _at++;
        }
    }

    private void OfX()
    {
        if (_at == 0)
        {
            Add("S");
            _at++;
            return;
        }
        // French: breaux.
        if (!(_at == Last && (Has(_at - 3, "IAU", "EAU") || Has(_at - 2, "AU", "OU"))))
            Add("KS");
        _at += Letter(_at + 1) is 'C' or 'X' ? 2 : 1;
    }

    private void OfZ()
    {
        if (Letter(_at + 1) == 'H')
        {
            Add("J");
            _at += 2;
            return;
        }
        Add("S", Has(_at + 1, "ZO", "ZI", "ZA") || (_isSlavic && _at > 0 && Letter(_at - 1) != 'T') ? "TS" : "S");
        Skip('Z');
    }

    private readonly bool IsGermanic() => Has(0, "VAN ", "VON ") || Has(0, "SCH");

    private readonly bool IsVowel(int at) => Letter(at) is 'A' or 'E' or 'I' or 'O' or 'U' or 'Y';

    private readonly char Letter(int at) => (uint)at < (uint)_word.Length ? _word[at] : '\0';

    /// <summary>Whether one of the texts stands there.</summary>
    private readonly bool Has(int at, params ReadOnlySpan<string> texts)
    {
        if ((uint)at >= (uint)_word.Length)
            return false;
        foreach (var text in texts)
        {
            if (_word[at..].StartsWith(text, StringComparison.Ordinal))
                return true;
        }
        return false;
    }

    /// <summary>Goes on behind the letter, and behind a second one like it.</summary>
    private void Skip(char letter) => _at += Letter(_at + 1) == letter ? 2 : 1;

    private void Add(string sound) => Add(sound, sound);

    private void Add(string primary, string secondary)
    {
        foreach (var letter in primary)
        {
            if (_primaryLength < Longest)
                _primary[_primaryLength++] = letter;
        }
        foreach (var letter in secondary)
        {
            if (_secondaryLength < Longest)
                _secondary[_secondaryLength++] = letter;
        }
    }
}
