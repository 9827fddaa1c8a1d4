// This file lets Go declare a function whose body is elsewhere.
